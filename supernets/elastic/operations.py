"""The elastic counterpart of each primitive operation: weights of the largest setting, sliced to the one asked for.

Channels are sliced from the front. A smaller depthwise kernel is the centre of the larger one passed through a
learned matrix (arXiv 1908.09791, section 3.2). `folded` returns the arrays that the ONNX graph takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers.operations import Conv, Linear, Operation, SqueezeExcite
from ..layers.pooling import AveragePool, MaxPool
from .forward import Pass
from .normalisation import EPSILON, Statistics

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "relu": functional.relu,
    "relu6": functional.relu6,
    "hswish": functional.hardswish,
}


class ElasticOperation(nn.Module):
    """What every elastic operation offers."""

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Run `operation` on `x`; `place` prefixes the key of its statistics."""
        raise NotImplementedError

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Return the graph's arrays for `operation`, batch norm folded in."""
        raise NotImplementedError


class ElasticConv(ElasticOperation):
    """Convolution, batch norm and activation."""

    def __init__(self, variants: Sequence[Conv]) -> None:
        super().__init__()
        outs, ins = max(v.out_channels for v in variants), max(v.weight_shape[1] for v in variants)
        kernels = sorted({v.kernel for v in variants}, reverse=True)
        fan_out = kernels[0] ** 2 * (1 if variants[0].depthwise else outs)
        self.weight = nn.Parameter(torch.randn(outs, ins, kernels[0], kernels[0]) * (2 / fan_out) ** 0.5)
        self.kernels = kernels
        self.transforms = nn.ParameterDict(
            {f"{large}to{small}": torch.eye(small**2) for large, small in zip(kernels, kernels[1:])}
        )
        if variants[0].norm:
            self.scale = nn.Parameter(torch.ones(outs))
            self.shift = nn.Parameter(torch.zeros(outs))

    def sliced(self, conv: Conv) -> Tensor:
        """Return the kernel for `conv`, (out, in / groups, kernel, kernel)."""
        outs, ins = conv.weight_shape[:2]
        weight = self.weight[:outs, :ins]
        for large, small in zip(self.kernels, self.kernels[1:]):
            if small < conv.kernel:
                break
            border = (large - small) // 2
            centre = weight[:, :, border : border + small, border : border + small]
            weight = functional.linear(centre.reshape(outs, ins, -1), self.transforms[f"{large}to{small}"])
            weight = weight.reshape(outs, ins, small, small)
        return weight

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Convolve, normalise, activate."""
        assert isinstance(operation, Conv)
        outs = operation.out_channels
        groups = operation.in_channels if operation.depthwise else 1
        top, left, bottom, right = operation.padding
        if (top, left) != (bottom, right):  # torch's own padding is symmetric
            x = functional.pad(x, (left, right, top, bottom))
            top, left = 0, 0
        x = functional.conv2d(x, self.sliced(operation), stride=operation.stride, padding=(top, left), groups=groups)
        if operation.norm:
            x = run.normalise(f"{place}.{operation.name}", x, self.scale[:outs], self.shift[:outs])
        return ACTIVATIONS[operation.activation](x)

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Scale the kernel by scale / deviation; the rest becomes a bias."""
        assert isinstance(operation, Conv)
        weight = self.sliced(operation)
        if not operation.norm:
            return {f"{operation.name}.weight": weight}
        outs = operation.out_channels
        mean, variance = statistics[f"{place}.{operation.name}"]
        gain = self.scale[:outs] / torch.sqrt(variance + EPSILON)
        return {
            f"{operation.name}.weight": weight * gain[:, None, None, None],
            f"{operation.name}.bias": self.shift[:outs] - mean * gain,
        }


class ElasticSqueezeExcite(ElasticOperation):
    """Channel attention."""

    def __init__(self, variants: Sequence[SqueezeExcite]) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(max(v.channels for v in variants), max(v.reduced for v in variants), 1)
        self.expand = nn.Conv2d(max(v.reduced for v in variants), max(v.channels for v in variants), 1)

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Slice both convolutions."""
        assert isinstance(operation, SqueezeExcite)
        channels, reduced = operation.channels, operation.reduced
        assert self.reduce.bias is not None
        assert self.expand.bias is not None
        return {
            f"{operation.name}.reduce.weight": self.reduce.weight[:reduced, :channels],
            f"{operation.name}.reduce.bias": self.reduce.bias[:reduced],
            f"{operation.name}.expand.weight": self.expand.weight[:channels, :reduced],
            f"{operation.name}.expand.bias": self.expand.bias[:channels],
        }

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Pool, reduce, expand, scale."""
        reduce_weight, reduce_bias, expand_weight, expand_bias = self.folded(operation, place, {}).values()
        y = functional.relu(functional.conv2d(x.mean((2, 3), keepdim=True), reduce_weight, reduce_bias))
        return x * functional.hardsigmoid(functional.conv2d(y, expand_weight, expand_bias))


class ElasticLinear(ElasticOperation):
    """Fully connected layer."""

    def __init__(self, variants: Sequence[Linear]) -> None:
        super().__init__()
        self.linear = nn.Linear(max(v.in_features for v in variants), max(v.out_features for v in variants))

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Slice weights and bias."""
        assert isinstance(operation, Linear)
        weight = self.linear.weight[: operation.out_features, : operation.in_features]
        return {
            f"{operation.name}.weight": weight,
            f"{operation.name}.bias": self.linear.bias[: operation.out_features],
        }

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Flatten and multiply."""
        return functional.linear(x.flatten(1), *self.folded(operation, place, {}).values())


class ElasticPool(ElasticOperation):
    """What pools have in common: no weights, so nothing elastic."""

    def __init__(self, variants: Sequence[Operation]) -> None:
        super().__init__()

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Nothing."""
        return {}


class ElasticGlobalAveragePool(ElasticPool):
    """Global average pool."""

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Mean over the image."""
        return x.mean((2, 3), keepdim=True)


class ElasticMaxPool(ElasticPool):
    """Largest of a window."""

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Largest of each window."""
        assert isinstance(operation, MaxPool)
        return functional.max_pool2d(x, operation.kernel, operation.stride, operation.kernel // 2)


class ElasticAveragePool(ElasticPool):
    """Mean of a window."""

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Mean of each window's pixels inside the image."""
        assert isinstance(operation, AveragePool)
        return functional.avg_pool2d(x, operation.stride, operation.stride, ceil_mode=True)
