"""The statements that Python sends, as ``.sql`` files; :mod:`ops.sql` calls them by name. No code lives here."""
