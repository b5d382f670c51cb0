"""What the registered algorithms share: the one place that speaks to pymoo."""
