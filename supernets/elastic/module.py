"""The elastic counterpart of torch modules: settings of one class share weights, sliced as everywhere else.

Every tensor is kept in its largest shape. A smaller setting takes the front of each axis, and the centre of a
convolution's kernel, of one, two or three dimensions. Batch norm is taken out of the modules and passed in, as for our
own layers: each sub-network is calibrated on its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..errors import SupernetError
from ..layers.kinds.module import ModuleOperation
from ..layers.operations import Operation
from ..layers.torch_modules import build_module
from ..layers.values import input_names
from .forward import Pass
from .normalisation import EPSILON, Statistics
from .operations import ElasticOperation

CENTRED = 4  # axes of a tensor that is taken for a kernel whatever it belongs to
CONVOLUTIONS = nn.modules.conv._ConvNd
SHARED_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class PassedNorm(nn.Module):
    """Stands for a module's batch norm: the scale and shift are its own, the statistics those of the run."""

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d, name: str) -> None:
        super().__init__()
        if norm.eps != EPSILON or not norm.affine or not norm.track_running_stats:
            raise SupernetError(
                f"batch norm {name} has eps={norm.eps}, affine={norm.affine} and track_running_stats="
                f"{norm.track_running_stats}; expected eps={EPSILON}, affine=True and track_running_stats=True"
            )
        self.weight, self.bias, self.name = norm.weight, norm.bias, name
        self.run: tuple[Pass, str] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Normalise as the run says."""
        assert self.run is not None
        run, place = self.run
        return run.normalise(f"{place}.{self.name}", x, self.weight, self.bias)


class ElasticModule(ElasticOperation):
    """All settings of one module class."""

    def __init__(self, variants: Sequence[ModuleOperation]) -> None:
        super().__init__()
        self.templates = Templates()
        largest: dict[str, Tensor] = {}
        for variant in dict.fromkeys(variants):
            for name, tensor in self.templates.of(variant).state_dict().items():
                largest[name] = larger(largest.get(name, tensor), tensor, f"{variant.name}.{name}")
        self.names = {name.replace(".", "_"): name for name in largest}
        if len(self.names) != len(largest):
            raise SupernetError(f"tensors of {variants[0].name} have names that differ in dots alone: {list(largest)}")
        self.weights = nn.ParameterDict({own: nn.Parameter(largest[name]) for own, name in self.names.items()})

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Run the setting's module on slices of the weights."""
        assert isinstance(operation, ModuleOperation)
        template = self.templates.of(operation)
        for norm in parts_of(template, PassedNorm):
            norm[1].run = (run, f"{place}.{operation.name}")
        others = (run.sides[name] for name in input_names(len(operation.spec.all_inputs))[1:])
        output: Tensor = functional_call(template, self.sliced(operation), (x, *others))
        return output

    def sliced(self, operation: ModuleOperation) -> dict[str, Tensor]:
        """Return the setting's tensors, by the names of the module's own state dict."""
        template = self.templates.of(operation)
        kernels = {f"{name}.weight".lstrip(".") for name, _ in parts_of(template, CONVOLUTIONS)}
        return {
            name: slice_of(
                self.weights[name.replace(".", "_")], tensor.shape, centred=name in kernels or tensor.ndim == CENTRED
            )
            for name, tensor in template.state_dict().items()
        }

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Return the setting's tensors with the running statistics of its batch norms: torch's exporter folds them."""
        assert isinstance(operation, ModuleOperation)
        arrays = self.sliced(operation)
        for name, norm in parts_of(self.templates.of(operation), PassedNorm):
            mean, variance = statistics[f"{place}.{operation.name}.{norm.name}"]
            arrays |= {f"{name}.running_mean": mean, f"{name}.running_var": variance}
        return arrays


class Templates:
    """Modules of all settings, whose own weights are never used; no part of the network's state."""

    def __init__(self) -> None:
        self.built: dict[ModuleOperation, nn.Module] = {}

    def of(self, operation: ModuleOperation) -> nn.Module:
        """Return the setting's module, its batch norms replaced."""
        if operation not in self.built:
            module = build_module(operation.spec)
            for name, norm in list(parts_of(module, nn.modules.batchnorm._NormBase)):
                if type(norm) not in SHARED_NORMS:
                    if not norm.track_running_stats:
                        continue  # as layer and group norm, it has no statistics to share
                    raise SupernetError(
                        f"{operation.name} has {type(norm).__name__} {name!r}; of norms that keep statistics, "
                        f"sub-networks can share {', '.join(kind.__name__ for kind in SHARED_NORMS)}. Take one of "
                        "these, or a norm without statistics, as GroupNorm and LayerNorm are"
                    )
                parent, _, leaf = name.rpartition(".")
                setattr(module.get_submodule(parent), leaf, PassedNorm(norm, name))
            self.built[operation] = module
        return self.built[operation]


def parts_of(module: nn.Module, kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the sub-modules of one class with their names."""
    return ((name, part) for name, part in module.named_modules() if isinstance(part, kind))


def larger(one: Tensor, other: Tensor, name: str) -> Tensor:
    """Return the tensor that holds both shapes: one of the two, or a new one of the same deviation."""
    if one.ndim != other.ndim:
        raise SupernetError(
            f"weight {name} is {tuple(one.shape)} in one setting and {tuple(other.shape)} in another; settings of one "
            "class share weights, so give it as many axes in all, or write two classes"
        )
    shape = tuple(map(max, one.shape, other.shape))
    for tensor in (one, other):
        if tuple(tensor.shape) == shape:
            return tensor
    largest = one if math.prod(one.shape) >= math.prod(other.shape) else other
    return torch.randn(shape) * largest.std() if largest.ndim > 1 else largest.mean().expand(shape).clone()


def slice_of(tensor: Tensor, shape: Sequence[int], *, centred: bool) -> Tensor:
    """Return the front of every axis; where it is `centred`, as a kernel is, the centre of all but the first two."""
    for axis, size in enumerate(shape):
        start = (tensor.shape[axis] - size) // 2 if centred and axis >= 2 else 0
        tensor = tensor.narrow(axis, start, size)
    return tensor
