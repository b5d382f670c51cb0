"""What a profile tells: why a network is slow, whether two profiles differ, what a family of them predicts."""
