"""The run folder: records, replay, identity, resuming, warm starts, results."""
