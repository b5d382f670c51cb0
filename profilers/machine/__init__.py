"""The machine: its identity, what the system says of it, and what makes timings noisy."""
