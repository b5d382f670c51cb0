"""How mixer_net is trained: as the embedded super-network, on the same data."""

from gnomon.supernets.training.recipes.fashion_mnist import recipe, training_data

__all__ = ["recipe", "training_data"]
