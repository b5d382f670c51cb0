"""What a network or a layer takes in: a tensor's shape, its type, and which whole numbers it may hold.

Whole numbers are mostly ids, and an id that a table has no row for crashes a runtime. So their range is declared, goes
into the key of every layer that takes them, and into the model's file, where whoever feeds it finds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import SupernetError

INPUT, OUTPUT = "input", "output"  # what models call a main input and an only output
RANGE = "gnomon.range."  # begins the name of a model's property that holds LOW:HIGH of an input
FLOAT = "float32"
WHOLE = {"int64": 2**63, "int32": 2**31}  # types of whole numbers, and where they end
SCALAR = "scalar"  # the shape of one number an example

Shape = tuple[int, ...]
VALUE = re.compile(r"(scalar|[0-9]+(?:x[0-9]+)*)(?::([a-z0-9]+):([0-9]+):([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Input:
    """A tensor that is taken in: `shape` leaves the batch out, and is () where an example has one number.

    float32, or whole numbers (int64, int32) from `low` on and below `high`. Raises SupernetError for anything else.

    >>> Input((), "int64", high=1000).text
    'scalar:int64:0:1000'
    """

    shape: Shape
    dtype: str = FLOAT
    low: int = 0
    high: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        if not all(isinstance(size, int) and size > 0 for size in self.shape):
            raise SupernetError(f"an input has shape {self.shape}; expected whole numbers above 0, the batch left out")
        if self.dtype not in (FLOAT, *WHOLE):
            raise SupernetError(f"an input has dtype {self.dtype!r}; expected one of {', '.join((FLOAT, *WHOLE))}")
        if self.dtype == FLOAT:
            if self.low != 0 or self.high is not None:
                raise SupernetError(
                    f"a {FLOAT} input has low={self.low} and high={self.high}, which only whole numbers have; "
                    'leave them out, or write dtype="int64"'
                )
        elif self.high is None or not 0 <= self.low < self.high <= WHOLE[self.dtype]:
            raise SupernetError(
                f"an {self.dtype} input has low={self.low} and high={self.high}; expected 0 <= low < high: it holds "
                "whole numbers from low on and below high, as high=1000 says of the rows of a table of 1,000"
            )

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers."""
        return self.dtype != FLOAT

    @property
    def range(self) -> tuple[int, int] | None:
        """The least whole number and the one after the largest; None of floats."""
        return None if self.high is None else (self.low, self.high)

    @property
    def shape_text(self) -> str:
        """The shape as keys and tables show it."""
        return shape_text(self.shape)

    @property
    def text(self) -> str:
        """The input as keys hold it: its shape, and of whole numbers type and range."""
        return f"{self.shape_text}:{self.dtype}:{self.low}:{self.high}" if self.is_whole else self.shape_text

    @staticmethod
    def from_text(text: str) -> Input:
        """Parse `text`; raises SupernetError."""
        match = VALUE.fullmatch(text)
        if match is None:
            raise SupernetError(f"{text!r} is no input of a layer; expected AxBxC, or AxBxC:int64:LOW:HIGH")
        shape, dtype, low, high = match.groups()
        sizes = () if shape == SCALAR else tuple(int(size) for size in shape.split("x"))
        return Input(sizes) if dtype is None else Input(sizes, dtype, int(low), int(high))


def shape_text(shape: Shape) -> str:
    """Return a shape as keys and tables show it."""
    return "x".join(map(str, shape)) or SCALAR


def input_names(count: int) -> tuple[str, ...]:
    """Return what a layer alone calls its inputs: input, input1, input2, ..."""
    return (INPUT, *(f"{INPUT}{number}" for number in range(1, count)))


def range_properties(ranges: Mapping[str, tuple[int, int]]) -> dict[str, str]:
    """Return the properties of a model that say which whole numbers its inputs take."""
    return {f"{RANGE}{name}": f"{low}:{high}" for name, (low, high) in ranges.items()}


def ranges_from_properties(properties: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Return the ranges that `range_properties` wrote."""
    found = {name.removeprefix(RANGE): value for name, value in properties.items() if name.startswith(RANGE)}
    return {name: (int(low), int(high)) for name, (low, _, high) in ((n, v.partition(":")) for n, v in found.items())}
