"""What a search is after: objectives, constraints, a region of interest, the reference point."""
