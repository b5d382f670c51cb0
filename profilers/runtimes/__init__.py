"""Runtimes: the protocol they keep, the registry, and what each of them needs."""
