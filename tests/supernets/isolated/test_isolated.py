import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gnomon.profilers.errors import DeviceUnreachable
from gnomon.search.errors import MissingContext
from gnomon.supernets.errors import DataUnavailable, EvaluationFailed, EvaluationImpossible, KernelsDisagree
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


@pytest.mark.slow
def test_a_child_that_stops_reading_its_pipe_holds_nobody_up():
    command = [sys.executable, "-S", str(Path(__file__).parent / "deaf_child.py")]
    isolated = IsolatedSupernet(None, Loading(SPACE), timeout_s=0.5, command=command)
    rows = np.arange(1_000_000)  # 8 MB as JSON, more than any pipe holds
    began = time.monotonic()
    with pytest.raises(EvaluationFailed, match=r"it took longer than the 0\.5 s allowed"):
        isolated.outcomes(GOOD, rows=rows)
    assert time.monotonic() - began < 60  # it was for ever
    isolated.close()


@pytest.mark.slow
@pytest.mark.parametrize("error", [DataUnavailable, KernelsDisagree, DeviceUnreachable, MissingContext])
def test_what_is_no_architectures_fault_comes_through_as_itself(supernet, error):
    with pytest.raises(error, match=r"^not on this machine$"):
        supernet.evaluate(BAD, f"{error.__module__}:{error.__name__}")
    assert supernet.evaluate(GOOD, "validation", 0.5) == 50.5


@pytest.mark.slow
def test_what_is_no_architectures_fault_and_not_known_here_stops_all_the_same(supernet):
    with pytest.raises(EvaluationImpossible, match=r"^LicenceMissing: not on this machine$"):
        supernet.evaluate(BAD, "own")
