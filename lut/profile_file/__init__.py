"""The hardware-profile file: its records, reading and writing it, and the profile in memory."""
