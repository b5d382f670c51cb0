"""Super-networks of a user's own, in plain torch."""
