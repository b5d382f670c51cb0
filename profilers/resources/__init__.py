"""Memory and energy: counters of the machine, read while a model runs."""
