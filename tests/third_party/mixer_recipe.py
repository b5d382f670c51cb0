"""How mixer_net is trained: as the embedded super-network, on the same data."""

from gnomon.supernets.training.recipes.fashion_mnist import lessons, recipe

__all__ = ["lessons", "recipe"]
