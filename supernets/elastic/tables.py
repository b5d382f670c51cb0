"""Tables of vectors that several operations of a network share: embeddings of encoder and decoder, and the projection.

A table is no part of a slot. The operations that name it get it from the network, sized for the largest of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

DIGEST_BYTES = 32


def sinusoids(positions: int, width: int) -> Tensor:
    """Return sines in the front half of each row and cosines in the other, (positions, width)."""
    half = width // 2
    rates = torch.exp(torch.arange(half) * (-torch.log(torch.tensor(10_000.0)) / max(half - 1, 1)))
    angles = torch.arange(positions)[:, None] * rates
    return functional.pad(torch.cat([angles.sin(), angles.cos()], dim=1), (0, width - 2 * half))


class SharedTable(nn.Module):
    """A vector a token, (vocabulary, width), and the digest of the vocabulary that it was trained with."""

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        self.register_buffer("digest", torch.zeros(DIGEST_BYTES))

    def keep_reading(self, width: int, first: int, start: int) -> None:
        """Note how other trainers read: sines of one `width`, sliced, tokens from position `first` on, behind `start`.

        `start` is the id that a translation begins behind.
        """
        self.register_buffer("reading", torch.tensor([width, first, start], dtype=torch.float32))

    def start_id(self, ours: int) -> int:
        """Return the id that a translation begins behind: `ours`, unless other trainers' was noted."""
        kept = self._buffers.get("reading")
        return ours if kept is None else int(kept[2])

    def offsets(self, positions: int, width: int) -> Tensor:
        """Return what is added to vectors at so many positions, (positions, width)."""
        kept = self._buffers.get("reading")
        whole, first = (width, 0) if kept is None else (int(kept[0]), int(kept[1]))
        return sinusoids(first + positions, whole)[first:, :width].to(self.weight.device)

    def stamp(self, sha256: str) -> None:
        """Note the vocabulary's digest, so that weights are never read with another."""
        self.get_buffer("digest").copy_(torch.tensor(list(bytes.fromhex(sha256)), dtype=torch.float32))

    @property
    def vocabulary_sha256(self) -> str:
        """The digest; empty before training."""
        values = self.get_buffer("digest").round().to(torch.uint8)
        return bytes(values.tolist()).hex() if bool(values.any()) else ""


class ReadsTable(nn.Module):
    """What reads a shared table: says which and how large it must be, and is given it."""

    shared: tuple[SharedTable, ...] = ()  # a tuple, lest torch take it for a child of its own

    def want(self, name: str, vocabulary: int, width: int) -> None:
        """Ask for the table `name`, of at least this size."""
        self.table_name, self.table_size = name, (vocabulary, width)

    def table(self, width: int) -> Tensor:
        """Return the table's first `width` columns, (vocabulary, width)."""
        return self.shared[0].weight[:, :width]


def shared_tables(network: nn.Module) -> nn.ModuleDict:
    """Make the tables that the operations of `network` ask for, and give them out."""
    readers: dict[str, list[ReadsTable]] = {}
    for module in network.modules():
        if isinstance(module, ReadsTable) and hasattr(module, "table_name"):
            readers.setdefault(module.table_name, []).append(module)
    tables = {}
    for name, sharing in readers.items():
        vocabulary, width = (max(reader.table_size[axis] for reader in sharing) for axis in (0, 1))
        tables[name] = SharedTable(vocabulary, width)
        for reader in sharing:
            reader.shared = (tables[name],)
    return nn.ModuleDict(tables)
