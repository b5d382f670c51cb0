"""Data sets and what they need: images, texts, sentence pairs, vocabularies."""
