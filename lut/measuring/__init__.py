"""How a profile comes about: measured here, on a board by a bundle, or imported from a table."""
