"""Adapters of experiment trackers, one file each; `reports/tracker.py` says what they offer."""
