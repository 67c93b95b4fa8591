"""``python -m controlroom``, the same as the ``controlroom`` command."""

from controlroom.cli import main

main()
