"""The files of a run folder: read, checked, locked, resumed."""
