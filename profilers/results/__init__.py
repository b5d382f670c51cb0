"""What a worker wrote down: visits, drift, conditions, and what they add up to."""
