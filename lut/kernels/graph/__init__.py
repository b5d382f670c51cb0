"""Kernels of a model: what a runtime runs as one piece, cut out of its graph, with a key and a cost."""
