"""What the user of a study tells of examples: which a trial is evaluated on, and what follows from being right.

The first two full validations, the pilots, show which examples decide; a trial on a share of the data is then handed
those. Where a pilot failed, a share is of the first examples of a fixed order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...supernets.data.labelled import rows_of_share
from ...supernets.evaluation.deciding import PILOTS, DecidingExamples, Outcomes
from ..errors import InvalidValue


def examples_for(share: float, number: int, pilots: Sequence[Outcomes] | None) -> NDArray[np.int64]:
    """Return the positions, of `number` examples, that a trial on a share is evaluated on, in order, (k,)."""
    if share >= 1.0:
        return np.arange(number)
    if pilots is not None and len(pilots) == PILOTS:
        return DecidingExamples.of(pilots).rows(share)
    return rows_of_share(number, share)


def accuracy_of(told: Outcomes, share: float, pilots: Sequence[Outcomes] | None) -> float:
    """Return the accuracy on all examples, in percent, of who has such outcomes on those of `examples_for`, (k,)."""
    if share < 1.0 and pilots is not None and len(pilots) == PILOTS:
        return DecidingExamples.of(pilots).percent(told)
    return told.percent


def outcomes_told(trial: str, expected: int, correct: Any, margins: Any) -> Outcomes:
    """Read what a trial was right about, (k,) of 0 and 1, and how far from the boundary; raises InvalidValue.

    Without margins all are equally far.
    """
    right = numbers_told(trial, "correct", correct, expected)
    if not np.isin(right, (0.0, 1.0)).all():
        wrong = right[~np.isin(right, (0.0, 1.0))][0]
        raise InvalidValue(f"trial {trial} is told correct with {wrong:g} in it; expected 1 where right, 0 where wrong")
    far = np.zeros(expected) if margins is None else numbers_told(trial, "margins", margins, expected)
    if (far < 0).any():
        raise InvalidValue(
            f"trial {trial} is told margins with {far.min():g} in it; expected the distance of the label's output from "
            "the best other one, at least 0"
        )
    return Outcomes(right.astype(np.bool_), far.clip(max=float(np.finfo(np.float16).max)).astype(np.float16))


def numbers_told(trial: str, name: str, told: Any, expected: int) -> NDArray[np.float64]:
    """Read finite numbers, one an example, (k,); raises InvalidValue."""
    try:
        numbers = np.asarray(told, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidValue(
            f"trial {trial} is told {name} that are no numbers ({error}); expected {expected}"
        ) from error
    if numbers.shape != (expected,):
        raise InvalidValue(
            f"trial {trial} is told {name} of shape {numbers.shape}; expected ({expected},), one for each of "
            "`trial.examples`, in their order"
        )
    if not np.isfinite(numbers).all():
        raise InvalidValue(f"trial {trial} is told {name} that are not finite; expected {expected} finite numbers")
    return numbers
