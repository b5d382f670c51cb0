from dataclasses import dataclass, replace

import numpy as np
import pytest

from gnomon.search.errors import InvalidConfig, InvalidValue
from gnomon.search.problem.build import build_objectives
from gnomon.search.problem.objective import Objective, measure
from gnomon.search.problem.reference import reference_point
from gnomon.search.testing.contracts import fake_context

CONTEXT = fake_context()


@dataclass(frozen=True)
class Energy(Objective):
    """Costly and minimised; answers what it is told to."""

    answer: object = (1.0,)
    name: str = "energy"
    unit: str = "mJ"
    direction: str = "min"
    costly: bool = True

    def values(self, indices):
        return np.array(self.answer)


def test_reference_of_a_cheap_objective_is_its_worst():
    (macs,) = build_objectives(("macs",), CONTEXT)
    (worst,) = reference_point((macs,), CONTEXT.space, {})
    assert worst == macs.values(CONTEXT.space.radices[None] - 1)[0]


def test_reference_of_a_costly_maximised_objective_is_zero_and_nothing_is_run():
    objectives = build_objectives(("accuracy", "macs"), CONTEXT)
    assert reference_point(objectives, CONTEXT.space, {})[0] == 0.0


def test_a_given_reference_wins():
    objectives = build_objectives(("accuracy", "macs"), CONTEXT)
    assert reference_point(objectives, CONTEXT.space, {"macs": 7.0, "accuracy": 50.0}) == (50.0, 7.0)


def test_a_costly_minimised_objective_needs_a_reference():
    with pytest.raises(InvalidConfig, match=r"in mJ, as reference\.energy = VALUE"):
        reference_point((Energy(),), CONTEXT.space, {})
    assert reference_point((Energy(),), CONTEXT.space, {"energy": 9.0}) == (9.0,)


@pytest.mark.parametrize("answer", [(float("nan"),), (float("inf"),), (), (1.0, 2.0), 1.0])
def test_only_one_finite_number_is_a_value(answer):
    row = np.zeros(len(CONTEXT.space.choices), dtype=np.int64)
    with pytest.raises(InvalidValue, match="'energy' returned"):
        measure((Energy(answer),), row)


def test_accuracy_is_of_the_contexts_split():
    row = np.zeros(len(CONTEXT.space.choices), dtype=np.int64)
    searched, tested = (
        measure(build_objectives(("accuracy",), replace(CONTEXT, split=split)), row) for split in ("validation", "test")
    )
    assert searched != tested
