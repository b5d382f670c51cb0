"""Checks that run somebody's modules: on the ends of their whole numbers, and against the graphs exported of them.

They need torch, and a function that runs ONNX.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SupernetError
from ..layers.values import FLOAT, INPUT
from ..space.space import Architecture, SearchSpace

if TYPE_CHECKING:
    from torch import Tensor

Run = Callable[[bytes, Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]  # ONNX, inputs -> outputs
TOLERANCE = 1e-3  # of the largest output, between torch and the runtime
EXAMPLES = 2  # that a sub-network is run on


class CheckFailed(AssertionError):
    """A check found something else than expected; the message says what, and what to do."""

    def __init__(self, found: str, expected: str, advice: str) -> None:
        super().__init__(f"{found}; expected {expected}. {advice}")
        self.found, self.expected, self.advice = found, expected, advice


def whole_numbers_fit(space: SearchSpace) -> None:
    """Run each layer that takes whole numbers on the least and the largest of them; raises CheckFailed."""
    import torch

    from ..layers.torch_modules import KIND, build_module, example_inputs

    for spec in space.unique_layers():
        if spec.kind != KIND or not any(one.is_whole for one in spec.inputs):
            continue
        for high in (False, True):
            examples = example_inputs(spec, EXAMPLES, high=high)
            try:
                with torch.inference_mode():
                    build_module(spec)(*examples)
            except Exception as error:
                raise CheckFailed(
                    f"layer {spec.key} cannot run on the {'largest' if high else 'least'} whole numbers of its inputs: "
                    f"{type(error).__name__}: {error}",
                    "a layer that runs on all that its inputs can hold",
                    "Give its table a row for each, or declare the inputs' low and high as what it holds",
                ) from error


def graph_is_torch(space: SearchSpace, architecture: Architecture, run: Run) -> None:
    """Compare a sub-network in torch with its ONNX graph, on random weights and inputs; raises CheckFailed."""
    import torch

    from ..elastic import ElasticNetwork, FixedStatistics
    from ..graph import models_from_architecture

    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(0)
        given = random_inputs(space, architecture)
        try:
            network = ElasticNetwork(space).eval()
            statistics = network.calibrate(architecture, given)
            expected = network.outputs(given, architecture, FixedStatistics(statistics))
        except SupernetError:
            raise
        except Exception as error:  # whatever somebody's module raises
            raise CheckFailed(
                f"torch cannot run {space.values(architecture)}: {type(error).__name__}: {error}",
                "a network that runs on any floats of its inputs' shapes, and on whole numbers where they are declared",
                'Ids, such as rows of a table, are declared as inputs = {"ids": Input(shape, "int64", high=...)}',
            ) from error
        weights = network.folded(architecture, statistics)
    (part,) = models_from_architecture(space, architecture, weights, batch=EXAMPLES)
    found = run(part.model, {name: tensor.numpy() for name, tensor in given.items()})
    for name, tensor in expected.items():
        require_alike(found[name], tensor.numpy(), name if len(expected) > 1 else "graph")


def random_inputs(space: SearchSpace, architecture: Architecture) -> dict[str, Tensor]:
    """Draw inputs of a network by name: normal floats, and whole numbers of their range, its ends among them."""
    import torch

    from ..layers.registry import input_dtype

    if not space.inputs:
        shape, first = (EXAMPLES, *space.input_shape), space.part_layers(architecture, 0)[0]
        return {INPUT: torch.randn(shape) if input_dtype(first) == FLOAT else torch.randint(1, 3, shape)}
    found = {}
    for name, one in space.inputs:
        shape = (EXAMPLES, *one.shape)
        if one.range is None:
            found[name] = torch.randn(shape)
            continue
        least, end = one.range
        found[name] = torch.randint(least, end, shape, dtype=getattr(torch, one.dtype))
        found[name][0], found[name][-1] = least, end - 1
    return found


def require_alike(found: NDArray[Any], expected: NDArray[Any], name: str) -> None:
    """Raise CheckFailed where an output of the graph is not what torch gives."""
    if found.shape != expected.shape:
        raise CheckFailed(f"the {name} gives {found.shape}", f"{expected.shape}, as torch", "Report it")
    scale = max(float(np.abs(expected).max()), 1e-3)
    difference = float(np.abs(found - expected).max())
    if not difference <= TOLERANCE * scale:
        raise CheckFailed(
            f"the {name} differs from torch by {difference:.2g}",
            f"at most {TOLERANCE * scale:.2g} where outputs reach {scale:.2g}",
            "Look for randomness, or for state that forward changes",
        )
