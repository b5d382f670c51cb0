"""Drawings of the report as SVG: drawn once, in Python, so that they are there without a script and in print."""
