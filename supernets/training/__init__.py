"""Training recipes for our own super-networks."""
