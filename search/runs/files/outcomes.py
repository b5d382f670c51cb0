"""What the pilots of a run were right about, as its evaluations keep it: the examples that decide follow from it."""

from __future__ import annotations

from base64 import b64decode

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ....supernets.evaluation.deciding import Outcomes
from ....supernets.isolated.outcomes import json_from_outcomes, outcomes_from_json

BYTES_A_MARGIN = 2


class KeptOutcomes(BaseModel):
    """Outcomes of one network on so many `examples`, in base64.

    `right` are packed bits, the first example's the highest of the first byte; `margins` are 16-bit floats, low byte
    first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: int = Field(ge=1)
    right: str
    margins: str

    @model_validator(mode="after")
    def check(self) -> KeptOutcomes:
        """Raise ValueError for arrays that are not of so many examples, or margins that are none."""
        for name, text, expected in (
            ("right", self.right, -(-self.examples // 8)),
            ("margins", self.margins, BYTES_A_MARGIN * self.examples),
        ):
            found = len(b64decode(text, validate=True))
            if found != expected:
                raise ValueError(f"{name} has {found} bytes; {self.examples} examples take {expected}")
        margins = self.read().margins
        if not (np.isfinite(margins) & (margins >= 0)).all():
            raise ValueError("margins has negative or infinite numbers")
        return self

    @staticmethod
    def of(outcomes: Outcomes) -> KeptOutcomes:
        """Return outcomes as they are kept."""
        return KeptOutcomes(**json_from_outcomes(outcomes))

    def read(self) -> Outcomes:
        """Return the outcomes."""
        return outcomes_from_json({"examples": self.examples, "right": self.right, "margins": self.margins})
