"""What stands for the classes that torch files of people's trainers name beside their tensors. Nothing of it runs code.

torch.load(weights_only=True) takes tensors and plain containers. By name it is given these here besides: for numpy's
scalars, ours that reads the number from its bytes; for the settings and meters of trainers, an object that drops what
it is given. numpy's own functions and the trainers' classes are never called. All other names stay refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

NUMBERS = frozenset("?bhilqBHILQefd") | {f"{kind}{size}" for kind in "iuf" for size in (1, 2, 4, 8)} | {"b1"}
DROPPED = (
    "argparse.Namespace",
    *(f"fairseq.meters.{meter}" for meter in ("AverageMeter", "StopwatchMeter", "TimeMeter")),
)


class NumberType:
    """The type of a number, as numpy's dtype is pickled: a code, and its byte order as state."""

    def __init__(self, code: object, *flags: object) -> None:
        if not isinstance(code, str) or code not in NUMBERS:
            raise ValueError(f"a scalar of type {code!r} is no number")
        self.type = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        """Take the byte order; all else of the state belongs to other types."""
        order = state[1]
        self.type = self.type.newbyteorder(order if order in ("<", ">") else "=")


def number(kind: NumberType, content: bytes | str) -> int | float | bool:
    """Return the number of a type that `content` holds the bytes of."""
    data = content.encode("latin1") if isinstance(content, str) else content
    if not isinstance(kind, NumberType) or len(data) != kind.type.itemsize:
        raise ValueError("a scalar whose bytes do not fit its type")
    value: int | float | bool = np.frombuffer(data, kind.type)[0].item()
    return value


class Dropped:
    """An object that nothing is kept of."""

    def __new__(cls, *args: object, **kwargs: object) -> Dropped:
        """Ignore the arguments."""
        return object.__new__(cls)

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Ignore the arguments."""

    def __setstate__(self, state: object) -> None:
        """Ignore the state."""


STAND_INS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (number, "numpy.core.multiarray.scalar"),  # as numpy 1 calls it, then numpy 2
    (number, "numpy._core.multiarray.scalar"),
    (NumberType, "numpy.dtype"),
    *((Dropped, name) for name in DROPPED),
]
