"""Whether this machine's integer kernels compute what an int8 file says.

A file's Q/DQ pairs, computed in fp32, are what it means. Integer kernels may round otherwise here and there, which puts
outputs off by up to 0.055 of their root mean square (20 files of fashion_mnist, 6 of translate_en_de). Wrong kernels
rank networks by an artefact of the processor: those that saturate are off by 0.1 to 0.8, and by 0.07 to 0.1 in
translation. That fault is known before (`precision/kernels.py`); the limit is for those that are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import KernelsDisagree
from ..graph import PartModel
from ..metric import Runner
from ..precision.formats import int8
from ..precision.kernels import weight_bits_here
from ..precision.runtimes import onnxruntime_runner, require_onnxruntime
from .supernet import Supernet

LIMIT = 0.1  # of the root mean square of outputs
EXAMPLES = 16
INT8 = "int8"


@dataclass(frozen=True, slots=True)
class KernelCheck:
    """How far the integer kernels here are from Q/DQ pairs in fp32, and which of them int8 is validated by.

    `error` is the root mean square of differences relative to that of the outputs, the largest of all outputs.
    """

    error: float
    weight_bits: int
    in_fp32: bool

    def sentence(self) -> str:
        """Say it in one line."""
        found = (
            f"int8 with weights in {self.weight_bits} bits: the integer kernels of {kernels_here()} differ from Q/DQ "
            f"pairs in fp32 by {100 * self.error:.1f} % here"
        )
        if not self.in_fp32:
            return f"{found} (at most {100 * LIMIT:.0f} % is accepted)"
        return (
            f"{found}; this processor adds products of 8-bit weights in 16 bits, which the device that they are for "
            "does not, so networks are validated by Q/DQ pairs in fp32, more slowly"
        )


@dataclass(frozen=True, slots=True)
class Paired:
    """A part run by integer kernels and by its Q/DQ pairs; answers by the latter, and adds up how far both differ."""

    integers: Runner
    exact: Runner
    sums: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each input."""
        return self.exact.input_shapes

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run it once."""
        found, expected = self.integers(inputs), self.exact(inputs)
        for name, values in expected.items():
            if np.issubdtype(values.dtype, np.floating):
                apart, size = self.sums.get(name, (0.0, 0.0))
                difference = found[name].astype(np.float64) - values
                self.sums[name] = (
                    apart + float((difference**2).sum()),
                    size + float((values.astype(np.float64) ** 2).sum()),
                )
        return expected

    @property
    def error(self) -> float:
        """The root mean square of differences relative to that of the outputs, the largest of all outputs."""
        return max((float(np.sqrt(apart / size)) for apart, size in self.sums.values() if size), default=0.0)


def check_kernels(supernet: Supernet, split: str = "validation") -> KernelCheck:
    """Check int8 files of the smallest and of a random sub-network; takes some two validations' preparation.

    Raises KernelsDisagree where the integer kernels here are wrong for files that are for this kind of processor.
    """
    space = supernet.space.network
    rows = [np.zeros_like(space.radices), *space.sample(1, np.random.default_rng(0))]
    return check_parts([supernet.models(space.architecture(row), precision=INT8) for row in rows], supernet, split)


def check_parts(networks: Sequence[Sequence[PartModel]], supernet: Supernet, split: str) -> KernelCheck:
    """Check int8 files of given sub-networks, the parts of each; raises KernelsDisagree."""
    examples = min(EXAMPLES, supernet.size(split))
    pairs: list[Paired] = []
    for parts in networks:
        runners = [Paired(onnxruntime_runner(part.model), int8.exact_runner(part.model)) for part in parts]
        supernet.answers_from(runners, split, examples)
        pairs += runners
    bits = supernet.weight_bits
    check = KernelCheck(max(pair.error for pair in pairs), bits, in_fp32=bits > weight_bits_here())
    if check.error > LIMIT and not check.in_fp32:
        raise KernelsDisagree(
            f"{check.sentence()}, so accuracies in int8 would be those of a fault; use another version of the runtime "
            "or another machine, or search and export in fp32"
        )
    return check


def kernels_here() -> str:
    """Name the runtime whose kernels are checked, with its version."""
    return f"onnxruntime {require_onnxruntime().__version__}"
