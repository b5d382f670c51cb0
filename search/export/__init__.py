"""Writing a chosen network, verified numerically and in time."""
