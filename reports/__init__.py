"""Plots of profiles and runs; nothing is computed here that other packages need."""
