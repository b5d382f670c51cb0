"""What grows with a run, at a constant cost an evaluation: its history and its hypervolume."""
