"""Hostile trials for `faults.py`: each yields what happened, and what was wrong with it."""
