"""Contracts that every search space and every task keeps; subclass one with its fixtures to test one of your own.

class TestMySpace(SpaceContract):
    @pytest.fixture
    def space(self): return build()

class TestMyTask(TaskContract):
    @pytest.fixture
    def module(self): return my_task
    @pytest.fixture
    def space(self): return build()  # of that task

`gnomon space check` runs the same checks of a space, and more, without pytest. Tasks need torch and onnxruntime.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from .errors import DataUnavailable
from .evaluation.join import supernet_of
from .evaluation.supernet import Supernet
from .metric import ACCURACY, METRICS
from .own_networks.check import CHECKS, Check, rows_of
from .precision import FP32, runner_at
from .space.space import Architecture, SearchSpace

FEW = 8  # examples that an exported model is run on


class SpaceContract:
    """Behaviour that the rest of Gnomon relies on."""

    @pytest.fixture
    def space(self) -> SearchSpace:
        """The space under test."""
        raise NotImplementedError

    @pytest.fixture
    def rows(self, space: SearchSpace) -> np.ndarray:
        """Uncanonical architectures, (n, d): the smallest, the largest, and random ones."""
        return rows_of(space)

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_contract(self, space: SearchSpace, rows: np.ndarray, check: Check) -> None:
        """A failure says what was found, what was expected, and what to do."""
        check.run(space, rows)


class TaskContract:
    """Behaviour that training, search and export rely on; weights are random, so that nothing has to be trained."""

    @pytest.fixture
    def module(self) -> ModuleType:
        """The task's module, with `load(space, folder)` and, unless it is accuracy, its `METRIC`."""
        raise NotImplementedError

    @pytest.fixture
    def space(self) -> SearchSpace:
        """A space, the smaller the better, whose task is the one under test."""
        raise NotImplementedError

    @pytest.fixture
    def data(self) -> Path | None:
        """A folder of data, a small one; None for the sample that the task brings."""
        return None

    @pytest.fixture
    def supernet(self, module: ModuleType, space: SearchSpace, data: Path | None) -> Supernet:
        """The space with random weights, judged by the task."""
        import torch

        from .elastic import ElasticNetwork

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = ElasticNetwork(space).eval().requires_grad_(False)
        made: Supernet = supernet_of(module.load(space, data), space, network, "0" * 64)
        return made

    @pytest.fixture
    def ends(self, space: SearchSpace) -> tuple[Architecture, Architecture]:
        """The smallest and the largest architecture."""
        smallest, largest = (space.architecture(row) for row in space.canonical([0 * space.radices, space.radices - 1]))
        return smallest, largest

    def test_the_task_is_called_as_the_space_calls_it(
        self, module: ModuleType, space: SearchSpace, data: Path | None
    ) -> None:
        """Runs name it so."""
        assert module.load(space, data).name == space.task

    def test_the_metric_is_known_before_the_data_are_loaded(self, module: ModuleType, supernet: Supernet) -> None:
        """The module's METRIC, else accuracy, is what the super-network is judged by; its name can be constrained."""
        declared = getattr(module, "METRIC", ACCURACY)
        assert supernet.metric == declared
        assert declared == METRICS.get(declared.name, declared), "that name is taken by a metric with other properties"
        assert declared.name.isidentifier()
        assert declared.unit
        assert declared.direction in ("max", "min")
        assert declared.tolerance >= 0

    def test_both_splits_have_examples(self, supernet: Supernet) -> None:
        """A search sees validation, reports are on test."""
        assert supernet.size("validation") > 0
        assert supernet.size("test") > 0

    def test_another_split_is_refused(self, supernet: Supernet, ends: tuple[Architecture, Architecture]) -> None:
        """The error is one that is printed as a line."""
        with pytest.raises(DataUnavailable):
            supernet.evaluate(ends[0], "train")

    def test_a_folder_that_is_not_there_is_refused(
        self, module: ModuleType, space: SearchSpace, tmp_path: Path
    ) -> None:
        """Nothing is evaluated on other data than those asked for."""
        with pytest.raises(DataUnavailable):
            module.load(space, tmp_path / "absent")

    @pytest.mark.parametrize("share", [1.0, 0.5])
    def test_an_evaluation_is_a_pure_function(
        self, supernet: Supernet, ends: tuple[Architecture, Architecture], share: float
    ) -> None:
        """A finite number, the same again and after another architecture, also on a share of the examples."""
        first = [supernet.evaluate(end, "validation", share) for end in ends]
        assert all(isinstance(value, float) and math.isfinite(value) for value in first)
        assert [supernet.evaluate(end, "validation", share) for end in reversed(ends)] == first[::-1]

    def test_answers_lead_to_the_metric(self, supernet: Supernet, ends: tuple[Architecture, Architecture]) -> None:
        """The score of all answers is the evaluation; answers to the first examples are the first answers."""
        whole = supernet.answers(ends[1], "test")
        assert supernet.score(whole, "test") == pytest.approx(supernet.evaluate(ends[1], "test"), abs=1e-6)
        few = supernet.answers(ends[1], "test", 1)
        assert len(few.arrays[0]) == 1
        assert math.isfinite(supernet.score(few, "test"))

    def test_an_exported_model_answers_as_torch_does(
        self, supernet: Supernet, ends: tuple[Architecture, Architecture]
    ) -> None:
        """ONNX Runtime, on the models that an export writes, within a thousandth of the largest answer."""
        expected = supernet.answers(ends[0], "test", FEW)
        runners = [runner_at(part.model, FP32) for part in supernet.models(ends[0])]
        found = supernet.answers_from(runners, "test", FEW)
        assert found.difference(expected) <= (1e-3 * max(1.0, expected.largest) if expected.is_continuous else 0)

    def test_records_are_plain_values(self, supernet: Supernet) -> None:
        """What stands beside an exported file can be written as JSON, and companions are bytes by file name."""
        described: dict[str, Any] = supernet.described_input()
        assert json.loads(json.dumps(described)) == described
        assert all(Path(name).name == name and isinstance(file, bytes) for name, file in supernet.companions().items())
