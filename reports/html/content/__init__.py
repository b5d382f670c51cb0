"""What the report says, as plain values for its templates."""
