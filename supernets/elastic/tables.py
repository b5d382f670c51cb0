"""Tables of vectors that several operations of a network share: embeddings of encoder and decoder, and the projection.

A table is no part of a slot. The operations that name it get it from the network, sized for the largest of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

DIGEST_BYTES = 32


class SharedTable(nn.Module):
    """A vector a token, (vocabulary, width), and the digest of the vocabulary that it was trained with."""

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        self.register_buffer("digest", torch.zeros(DIGEST_BYTES))

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
