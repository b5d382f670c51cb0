"""Super-networks, one file each."""
