"""The latency of a network from its layers: terms, fits, errors held out, intervals."""
