"""Energy counters: one module each, found by name in `counter.py`."""
