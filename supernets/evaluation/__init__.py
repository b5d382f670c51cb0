"""Who evaluates a sub-network: classifier, translator, BLEU."""
