"""`python -m gnomon.cli` is the `gnomon` command."""

from .main import main

main()
