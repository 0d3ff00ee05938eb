"""`python -m clients.cli`: the `studio` command, wherever it is not installed."""

from clients.cli.main import main

main()
