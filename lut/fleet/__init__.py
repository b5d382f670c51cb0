"""Profiles of many boards into one folder, several boards at a time."""
