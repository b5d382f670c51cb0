"""Search spaces: choices, slots, architectures, and how a space is named."""
