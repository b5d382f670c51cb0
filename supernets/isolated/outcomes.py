"""Outcomes of examples as JSON: packed bits and 16-bit floats, in base64."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import numpy as np

from ..evaluation.deciding import Outcomes


def json_from_outcomes(outcomes: Outcomes) -> dict[str, Any]:
    """Return outcomes as JSON."""
    return {
        "examples": len(outcomes.right),
        "right": b64encode(np.packbits(outcomes.right).tobytes()).decode(),
        "margins": b64encode(outcomes.margins.astype("<f2").tobytes()).decode(),
    }


def outcomes_from_json(content: dict[str, Any]) -> Outcomes:
    """Return the outcomes that `json_from_outcomes` wrote; KeyError or ValueError for anything else."""
    bits = np.unpackbits(np.frombuffer(b64decode(content["right"]), np.uint8), count=content["examples"])
    margins = np.frombuffer(b64decode(content["margins"]), "<f2")
    return Outcomes(bits.astype(np.bool_), margins.astype(np.float16))
