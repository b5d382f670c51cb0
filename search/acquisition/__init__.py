"""What to measure next: initial design, candidates, expected hypervolume improvement."""
