"""Our embedded super-network on Fashion-MNIST: every validation is a true one, on all images or a share of them.

Validations are kept in a file, one JSON object a line, so that methods and seeds share them; the processor seconds of
each are kept beside its value. The value on all 2,500 validation images counts as noise-free. The best known
hypervolume is that of everything in the file, so it can still grow.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gnomon import load_profile
from gnomon.search import hypervolume
from gnomon.search.problem.objective import Values
from gnomon.supernets import SearchSpace, load_space
from gnomon.supernets.evaluation.supernet import Supernet
from gnomon.supernets.space.space import Indices
from gnomon.supernets.supernet import load_supernet
from search_harness.landscape import DIRECTIONS

PROFILE = "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"
WORST_TOP1 = 80.0
Key = tuple[str, float]


@dataclass(frozen=True)
class Fashion:
    """`cache` is the file of validations; it is made when missing."""

    cache: Path
    name: str = "fashion"
    price_name: str = "latency"
    price_unit: str = "us"
    population: int = 50
    inner_evaluations: int = 20_000
    best_is_fixed: bool = False

    @cached_property
    def setting(self) -> str:
        """The weights, and the images."""
        return f"weights {self.supernet.checkpoint_sha256[:12]}, {len(self.supernet.task.validation)} images"

    @cached_property
    def space(self) -> SearchSpace:
        """The embedded space."""
        return load_space("fashion_mnist")

    @cached_property
    def supernet(self) -> Supernet:
        """The shipped weights, run in torch on one core."""
        import torch

        torch.set_num_threads(1)
        return load_supernet("fashion_mnist")

    @cached_property
    def latency(self) -> Any:
        """The latency model of the shipped profile."""
        return load_profile(PROFILE).latency

    @cached_property
    def reference(self) -> tuple[float, float]:
        """80 %, and the latency of the largest network."""
        return WORST_TOP1, float(self.price((self.space.radices - 1)[None])[0])

    @cached_property
    def known(self) -> dict[Key, dict[str, Any]]:
        """The validations on file, by genes and share; another process may be adding to them."""
        if not self.cache.exists():
            return {}
        text = self.cache.read_text(encoding="utf-8")
        records = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return {(record["genes"], record["share"]): record for record in records}

    def top1(self, rows: Indices) -> Values:
        """Validate (n, d) networks on all images, (n,)."""
        return self.validated(rows, 1.0, 0)

    def price(self, rows: Indices) -> Values:
        """Return the profile's latency, (n,)."""
        return np.asarray(self.latency.value_us(rows))

    def validated(self, rows: Indices, share: float, seed: int) -> Values:
        """Validate (n, d) networks on a share of the images or look it up, (n,); the seed changes nothing."""
        return np.array([self.validation(row, share)["top1_percent"] for row in self.space.canonical(rows)])

    def validation(self, row: Indices, share: float) -> dict[str, Any]:
        """Return the record of one canonical network (d) on a share, after appending it where it is new."""
        key = "".join(str(gene) for gene in row), share
        if key not in self.known:
            started = time.process_time()
            top1 = self.supernet.evaluate(self.space.architecture(row), "validation", share)
            seconds = time.process_time() - started
            self.known[key] = {"genes": key[0], "share": share, "top1_percent": top1, "seconds": round(seconds, 4)}
            with self.cache.open("a", encoding="utf-8") as file:
                file.write(json.dumps(self.known[key]) + "\n")
        return self.known[key]

    def best_known(self) -> float:
        """Return the hypervolume of every full validation on file."""
        found = [(genes, record) for (genes, share), record in self.known.items() if share == 1.0]
        rows = np.array([[int(gene) for gene in genes] for genes, _ in found], dtype=np.int64)
        if len(rows) == 0:
            return 0.0
        top1 = np.array([record["top1_percent"] for _, record in found])
        return hypervolume(np.stack([top1, self.price(rows)], axis=1), DIRECTIONS, self.reference)
