"""Published checkpoints: one file a family of spaces, named as the family."""
