"""Who asks. Start at ``person.py``; ``oidc.py`` and ``forms.py`` are the two ways in that ask people for something."""
