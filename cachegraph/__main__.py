"""``python -m cachegraph``."""

from cachegraph.cli import main

main()
