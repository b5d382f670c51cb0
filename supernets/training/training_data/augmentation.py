"""Image augmentation on whole batches of tensors (batch, channels, height, width)."""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional


def flip_and_shift(images: Tensor, generator: Generator, *, pixels: int, mirrored_share: float) -> Tensor:
    """Mirror a share of the images and shift each by up to `pixels` in both directions, padding with zeros."""
    n, _, height, width = images.shape
    mirrored = torch.rand(n, generator=generator) < mirrored_share
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    padded = functional.pad(images, (pixels,) * 4)
    top, left = torch.randint(0, 2 * pixels + 1, (2, n), generator=generator)
    rows = top[:, None] + torch.arange(height)
    columns = left[:, None] + torch.arange(width)
    return padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def erase(images: Tensor, generator: Generator, *, size: int) -> Tensor:
    """Set a random square of up to `size` pixels to zero in half of the images (arXiv 1708.04896)."""
    n, _, height, width = images.shape
    side = torch.randint(2, size + 1, (n,), generator=generator) * (torch.rand(n, generator=generator) < 0.5)
    top = (torch.rand(n, generator=generator) * height).long()
    left = (torch.rand(n, generator=generator) * width).long()
    rows, columns = torch.arange(height)[None], torch.arange(width)[None]
    inside_rows = (rows >= top[:, None]) & (rows < (top + side)[:, None])
    inside_columns = (columns >= left[:, None]) & (columns < (left + side)[:, None])
    return images * ~(inside_rows[:, None, :, None] & inside_columns[:, None, None, :])
