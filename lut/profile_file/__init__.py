"""The hardware-profile file: records, reading and writing, what a profile offers."""
