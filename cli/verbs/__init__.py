"""The verbs of `gnomon`, a module each; `register(app)` adds it."""
