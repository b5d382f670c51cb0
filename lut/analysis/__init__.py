"""Analyses of profiles: explain a latency, compare two profiles, predict a space from profiles of its relatives."""
