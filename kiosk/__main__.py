"""`python -m kiosk` is the `platypus` command."""

from kiosk.cli import main

main()
