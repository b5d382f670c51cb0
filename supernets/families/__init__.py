"""Builders of spaces of one family: staged CNNs, encoders, encoder-decoders."""
