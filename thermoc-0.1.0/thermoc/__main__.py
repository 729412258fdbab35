"""``python -m thermoc``."""

from thermoc.cli import main

main()
