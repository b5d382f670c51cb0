"""When a run ends, and how it says so.

The unit of cost is one full validation; a validation on a share of the data costs that share, failed or not. No round
depends on any of this, so a run that stopped goes on to the same trajectory when it may cost more, or take longer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ....profilers.files import read_text_file
from ....profilers.journal import value_from_json, write_atomically
from ...config import SearchConfig
from ...errors import RunDamaged
from .records import MOST, STOP_FILE, Evaluation, Seconds, first_line

Reason = Literal["budget", "time", "gain", "space"]
TOLERANCE = 1e-9  # in full validations: shares such as 0.1 are not exact in binary


class Stop(BaseModel):
    """Why a run ended: `said` in words, with the `cost` in full validations and the time until then."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_id: Literal["gnomon.run"] = Field(default="gnomon.run", alias="schema")
    version: Literal[2] = 2
    reason: Reason
    said: str
    cost: float = Field(ge=0, le=MOST)
    elapsed_s: Seconds


def cost_of(evaluations: Sequence[Evaluation]) -> float:
    """Return what evaluations cost, in full validations."""
    return math.fsum(evaluation.share for evaluation in evaluations)


def fits(spent: float, share: float, config: SearchConfig) -> bool:
    """Tell whether an evaluation on a share of the data is left after `spent` full validations."""
    return spent + share - TOLERANCE <= config.budget


def is_spent(spent: float, config: SearchConfig) -> bool:
    """Tell whether nothing of the budget is left, however small a share of the data."""
    return spent + TOLERANCE >= config.budget


def budget_said(spent: float, config: SearchConfig) -> str:
    """Say how the budget ended the run."""
    return f"{spent:.4g} of {config.budget} full validations are spent"


def time_said(seconds: float, cost: float, share: float, elapsed_s: float, config: SearchConfig) -> str:
    """Say why the next measurement, on a share of the data, would end too late, or nothing.

    It is taken to last as long for its share as those so far did on average: `seconds` for `cost` full validations.
    """
    if config.stop_after_s is None:
        return ""
    expected_s = share * seconds / cost if cost else 0.0
    if elapsed_s + expected_s <= config.stop_after_s:
        return ""
    return (
        f"the run has taken {elapsed_s:.4g} s, and the next validation (about {expected_s:.2g} s) would end after "
        f"the {config.stop_after_s:g} s allowed"
    )


def gain_said(before: float, after: float, config: SearchConfig) -> str:
    """Say why a hypervolume that grew from `before` to `after` in `config.patience` validations ends it, or nothing."""
    if config.stop_gain is None or before <= 0 or after / before - 1.0 >= config.stop_gain:
        return ""
    return (
        f"the last {config.patience} full validations gained {100 * (after / before - 1.0):.2g} % of hypervolume, less "
        f"than the {100 * config.stop_gain:.2g} % asked for"
    )


def read_stop(folder: Path) -> Stop | None:
    """Read how the run in `folder` ended, if it did; raises RunDamaged."""
    path = folder / STOP_FILE
    try:
        return Stop.model_validate(value_from_json(read_text_file(path)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError) as error:
        raise RunDamaged(
            f"{path} does not say how a run ended: {first_line(error)}; without that file the run goes on", path=path
        ) from error


def write_stop(folder: Path, stop: Stop) -> None:
    """Write how the run in `folder` ended."""
    write_atomically(folder / STOP_FILE, stop.model_dump_json(indent=1, by_alias=True) + "\n")
