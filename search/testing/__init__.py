"""Contract tests of objectives, surrogates, tactics and algorithms."""
