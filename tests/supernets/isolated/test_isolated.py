import sys
from pathlib import Path

import numpy as np
import pytest

from gnomon.supernets.errors import EvaluationFailed
from gnomon.supernets.isolated.supernet import IsolatedSupernet, Loading
from gnomon.supernets.space.space import Architecture

SPACE = "fashion_mnist"
GOOD, BAD = (Architecture(SPACE, (first, *(0,) * 25)) for first in (0, 1))
COMMAND = [sys.executable, str(Path(__file__).parent / "scripted_child.py")]


@pytest.fixture(scope="module")
def supernet():
    isolated = IsolatedSupernet(None, Loading(SPACE), timeout_s=2.0, command=COMMAND)
    yield isolated
    isolated.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("hang", "it took longer than the 2.0 s allowed"),
        ("memory", "MemoryError: Unable to allocate 8 TiB"),
        ("kill", "its process ended by SIGKILL"),
        ("exit", "its process ended by exit code 0"),
        ("text", "evaluating it returned 'ninety'; expected a finite number"),
        ("nan", "evaluating it returned nan; expected a finite number"),
    ],
)
def test_what_goes_wrong_is_said_and_the_next_one_is_evaluated(supernet, how, said):
    with pytest.raises(EvaluationFailed, match=said):
        supernet.evaluate(BAD, how)
    assert supernet.evaluate(GOOD, "validation", 0.5) == 50.5


@pytest.mark.slow
def test_outcomes_come_back_as_they_are(supernet):
    rows = np.array([999, 3, 4])
    assert supernet.outcomes(GOOD, rows=rows).right.tolist() == [True, True, False]
    every = supernet.outcomes(GOOD)
    assert every.margins.tolist() == (np.arange(1000) / 7).astype(np.float16).tolist()
    assert every.right.sum() == 334
