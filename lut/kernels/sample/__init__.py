"""The designed sample: small random networks of families in use, from which a runtime's kernels are taken."""
