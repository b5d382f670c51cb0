"""A super-network whose every validation is a true one, on all examples or a share of them.

Validations are kept in a file, one JSON object a line, so that methods and seeds share them; the processor seconds of
each are kept beside its value, calibration of batch norm included. A search with partial evaluations pays once for what
prepares calibration on few examples, beside the pilots' own calibration. Several processes may add to the file at a
time; what a killed one left half written is dropped. A share is of the examples that decide by the outcomes of a
search's pilots, or of random ones. The value on all validation examples counts as noise-free. The best known
hypervolume is that of everything in the file, so it can still grow.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gnomon import load_profile
from gnomon.profilers.journal import cut_torn_tail
from gnomon.search import hypervolume
from gnomon.search.problem.objective import Values
from gnomon.search.runs.files.outcomes import KeptOutcomes
from gnomon.supernets import SearchSpace, load_space
from gnomon.supernets.data.labelled import rows_of_share
from gnomon.supernets.evaluation.classifier import Classifier
from gnomon.supernets.evaluation.deciding import DecidingExamples, Outcomes
from gnomon.supernets.space.space import Indices
from gnomon.supernets.supernet import load_supernet
from search_harness.landscape import DIRECTIONS

RANDOM, ORDER = "", "order"  # examples of a share; what orders those of calibration
Key = tuple[str, float, str]  # genes, share, examples


@dataclass(frozen=True)
class Validated:
    """`cache` is the file of validations; it is made when missing. `profile` ships, and has the latency.

    Hypervolume counts from `worst_top1` and the latency of the largest network. The defaults are our embedded
    super-network on Fashion-MNIST.
    """

    cache: Path
    name: str = "fashion"
    space_name: str = "fashion_mnist"
    profile: str = "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"
    worst_top1: float = 80.0
    price_name: str = "latency"
    price_unit: str = "us"
    population: int = 50
    inner_evaluations: int = 20_000
    best_is_fixed: bool = False

    @cached_property
    def setting(self) -> str:
        """The weights, and the examples."""
        weights = self.supernet.checkpoint_sha256[:12]
        return f"weights {weights}, {self.examples} examples, shares calibrated on what stands for all, corrected"

    @cached_property
    def space(self) -> SearchSpace:
        """The space."""
        return load_space(self.space_name)

    @cached_property
    def supernet(self) -> Classifier:
        """The weights, run in torch on one core."""
        import torch

        torch.set_num_threads(1)
        supernet = load_supernet(self.space_name)
        assert isinstance(supernet, Classifier)
        return supernet

    @cached_property
    def latency(self) -> Any:
        """The latency model of the shipped profile."""
        return load_profile(self.profile).latency

    @cached_property
    def reference(self) -> tuple[float, float]:
        """The worst top-1, and the latency of the largest network."""
        return self.worst_top1, float(self.price((self.space.radices - 1)[None])[0])

    @cached_property
    def known(self) -> dict[Key, dict[str, Any]]:
        """The validations on file, by genes and share; another process may be adding to them."""
        if not self.cache.exists():
            return {}
        text = self.cache.read_text(encoding="utf-8")
        records = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return {(record["genes"], record["share"], record["examples"]): record for record in records}

    def top1(self, rows: Indices) -> Values:
        """Validate (n, d) networks on all images, (n,)."""
        return self.validated(rows, 1.0, 0)

    def price(self, rows: Indices) -> Values:
        """Return the profile's latency, (n,)."""
        return np.asarray(self.latency.value_us(rows))

    def validated(self, rows: Indices, share: float, seed: int) -> Values:
        """Validate (n, d) networks on a share of the examples or look it up, (n,); the seed changes nothing."""
        return np.array([self.validation(row, share)["top1_percent"] for row in self.space.canonical(rows)])

    def outcomes(self, row: Indices) -> Outcomes:
        """Return what a network (d) is right about on all examples."""
        canonical = self.space.canonical(row[None])[0]
        record = self.known.get((text_of(canonical), 1.0, RANDOM), {})
        if "outcomes" not in record:
            record = self.measured(canonical, 1.0, RANDOM, None, keep=True)
        return KeptOutcomes.model_validate(record["outcomes"]).read()

    def estimated(self, row: Indices, share: float, pilots: Sequence[Outcomes]) -> tuple[float, float]:
        """Return a network's top-1 by the share of the examples that decides most, and the processor seconds."""
        examples = DecidingExamples.of(pilots)
        name = hashlib.sha256(examples.order.tobytes()).hexdigest()[:12]
        canonical = self.space.canonical(row[None])[0]
        record = self.known.get((text_of(canonical), share, name)) or self.measured(canonical, share, name, examples)
        return record["top1_percent"], record["seconds"]

    @property
    def order_seconds(self) -> float:
        """Processor seconds of preparing calibration on few examples, once the pilots are validated."""
        if (ORDER, 1.0, RANDOM) not in self.known:
            examples = self.supernet.calibration_examples
            for end in examples.ends:
                self.supernet.statistics(end)
            started = time.process_time()
            examples.prepare()
            self.keep({"genes": ORDER, "share": 1.0, "examples": RANDOM, "seconds": time.process_time() - started})
        return float(self.known[ORDER, 1.0, RANDOM]["seconds"])

    def seconds(self, row: Indices, share: float) -> float:
        """Return the processor seconds of a validation on random examples, or all."""
        return float(self.validation(self.space.canonical(row[None])[0], share)["seconds"])

    def validation(self, row: Indices, share: float) -> dict[str, Any]:
        """Return the record of one canonical network (d) on a share of random examples, or all; measured where new."""
        return self.known.get((text_of(row), share, RANDOM)) or self.measured(row, share, RANDOM, None)

    def measured(
        self, row: Indices, share: float, name: str, examples: DecidingExamples | None, *, keep: bool = False
    ) -> dict[str, Any]:
        """Validate a canonical network (d), and append the record; `keep` its outcomes too."""
        calibration, architecture = self.supernet.calibration_examples, self.supernet.space.architecture(row)
        if share < 1.0:
            self.order_seconds  # noqa: B018  where the file has no such seconds yet
            calibration.prepare()  # where it has: what the first such validation would do
        else:
            calibration.known.pop(architecture, None)  # its seconds are those of calibrating it too
        rows = (
            None if share >= 1.0 else rows_of_share(self.examples, share) if examples is None else examples.rows(share)
        )
        started = time.process_time()
        outcomes = self.supernet.outcomes(architecture, "validation", rows)
        seconds = time.process_time() - started
        top1 = outcomes.percent if examples is None else examples.percent(outcomes)
        record = {"genes": text_of(row), "share": share, "examples": name, "top1_percent": top1, "seconds": seconds}
        return self.keep(record | ({"outcomes": KeptOutcomes.of(outcomes).model_dump()} if keep else {}))

    @property
    def examples(self) -> int:
        """How many examples validate."""
        return len(self.supernet.task.validation)

    def keep(self, record: dict[str, Any]) -> dict[str, Any]:
        """Append a record to the file and return it."""
        self.known[record["genes"], record["share"], record["examples"]] = record
        with self.cache.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
            cut_torn_tail(self.cache, file)  # what a killed process left half written
            file.write(json.dumps(record).encode() + b"\n")
        return record

    def best_known(self) -> float:
        """Return the hypervolume of every full validation on file."""
        found = [(genes, one) for (genes, share, _), one in self.known.items() if share == 1.0 and genes != ORDER]
        rows = np.array([[int(gene) for gene in genes] for genes, _ in found], dtype=np.int64)
        if len(rows) == 0:
            return 0.0
        top1 = np.array([record["top1_percent"] for _, record in found])
        return hypervolume(np.stack([top1, self.price(rows)], axis=1), DIRECTIONS, self.reference)


def text_of(row: Indices) -> str:
    """Write the genes of a network (d) as digits."""
    return "".join(map(str, row))
