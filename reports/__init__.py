"""Pictures and pages of what was measured and found; nothing is computed here that others need."""
