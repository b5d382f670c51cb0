import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.search import SearchConfig, search_in_context
from gnomon.search.archive import every_architecture
from gnomon.search.errors import InvalidConfig, UnknownName
from gnomon.search.evolution.algorithm import (
    ALGORITHMS,
    AUTO,
    AUTO_BEYOND,
    Setting,
    Takes,
    algorithm_name,
    algorithm_of,
)
from gnomon.search.evolution.evolve import evolve, judge_of
from gnomon.search.evolution.pymoo_support.geometry import directions
from gnomon.search.testing.algorithms import AlgorithmContract
from gnomon.search.testing.contracts import fake_context

NAMES = ("accuracy", "macs", "params")
EVERY_RUN = """
import sys, json
from pathlib import Path
from gnomon.search import SearchConfig, search_in_context
from gnomon.search.testing.contracts import fake_context
for number, text in enumerate(sys.argv[2:]):
    config, folder = SearchConfig.model_validate_json(text), Path(sys.argv[1]) / str(number)
    run = search_in_context(fake_context(), config, folder, provenance={})
    print(json.dumps([evaluation.indices for evaluation in run.evaluations]))
"""


class TestRegisteredAlgorithms(AlgorithmContract):
    @pytest.fixture(params=ALGORITHMS.names())
    def algorithm(self, request):
        return ALGORITHMS.load(request.param)()


@dataclass(frozen=True)
class HillClimbing:
    """A third party's algorithm: neighbours of the best. It needs no pymoo."""

    takes: ClassVar[Takes] = Takes(1, 1)

    def start(self, setting):
        return Climb(setting.space, {})


@dataclass
class Climb:
    space: object
    known: dict

    def tell(self, rows, costs, violations):
        self.known |= {tuple(row): (bad, cost) for row, bad, cost in zip(rows.tolist(), violations, costs[:, 0])}

    def ask(self, n, rng):
        found = []
        for best in sorted(self.known, key=self.known.get):
            near = self.space.neighbours(self.space.architecture(best))
            found += [row for row in rng.permutation(near).tolist() if tuple(row) not in self.known]
            found = list(dict.fromkeys(map(tuple, found)))
            if len(found) >= n:
                break
        return np.array(found[:n])


class TestOwnAlgorithm(AlgorithmContract):
    @pytest.fixture
    def algorithm(self):
        return HillClimbing()


def suited(tactic):
    """One configuration for every algorithm and number of objectives that suit each other."""
    return [
        SearchConfig(
            space="fashion_mnist",
            objectives=NAMES[:m],
            tactic=tactic,
            algorithm=name,
            population=6,
            budget=18,
            inner_evaluations=30,
        )
        for name in ALGORITHMS.names()
        for m in (1, 2, 3)
        if ALGORITHMS.load(name)().takes.suits(m, constrained=False)
    ]


def name_of(config):
    return f"{config.algorithm}-{len(config.objectives)}"


@pytest.mark.parametrize("config", suited("evolutionary"), ids=name_of)
def test_a_cut_run_goes_on_to_the_same_trajectory(tmp_path, config):
    whole = search_in_context(fake_context(), config, tmp_path / "whole", provenance={})
    lines = (tmp_path / "whole" / "evaluations.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "run.json").write_bytes((tmp_path / "whole" / "run.json").read_bytes())
    (tmp_path / "cut" / "evaluations.jsonl").write_text("".join(lines[:14]))
    cut = search_in_context(fake_context(), config, tmp_path / "cut", provenance={})
    assert [e.indices for e in cut.evaluations] == [e.indices for e in whole.evaluations]
    assert len({e.indices for e in cut.evaluations}) == 18


@pytest.mark.slow
def test_trajectories_are_those_of_another_process_and_hash_seed(tmp_path):
    configs = suited("evolutionary") + suited("linas")[::3]
    texts = [config.model_dump_json() for config in configs]
    command = [sys.executable, "-c", EVERY_RUN]
    printed = [
        subprocess.run(
            [*command, str(tmp_path / seed), *texts],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("1", "2")
    ]
    assert printed[0].stdout == printed[1].stdout
    assert len(printed[0].stdout.splitlines()) == len(configs)
    assert printed[0].stderr == ""
    here = search_in_context(fake_context(), configs[-1], tmp_path / "here", provenance={})
    assert json.loads(printed[0].stdout.splitlines()[-1]) == [list(e.indices) for e in here.evaluations]


@pytest.mark.parametrize("name", ALGORITHMS.names())
def test_a_small_space_is_evaluated_to_the_last_network(six, name):
    algorithm = ALGORITHMS.load(name)()
    m = algorithm.takes.fewest
    rows, _ = evolve(
        Setting(six, m, 2),
        algorithm,
        lambda rows: np.stack([rows.sum(axis=1) * (1.0 + column) for column in range(m)], axis=1),
        judge_of(("min",) * m),
        evaluations=50,
        seed_indices=np.empty((0, 3), dtype=np.int64),
        rng=np.random.default_rng(0),
    )
    assert sorted(rows.tolist()) == every_architecture(six).tolist()


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_auto_is_fixed_and_suits_with_constraints(m):
    objectives = ("accuracy", "latency", "macs", "params")[:m]
    config = SearchConfig(space="fashion_mnist", objectives=objectives, constraints=("macs<=2M",))
    assert algorithm_name(config) == AUTO.get(m, AUTO_BEYOND)
    assert algorithm_of(config).takes.suits(m, constrained=True)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"algorithm": "cmaes", "objectives": NAMES[:2]},
            "takes one objective; this search has 2 (accuracy, macs); ch",
        ),
        ({"algorithm": "nsga2", "objectives": NAMES[:1]}, "takes two or more objectives; this search has 1 (accuracy)"),
        (
            {"algorithm": "ga", "objectives": NAMES},
            "one of auto, agemoea2, ctaea, moead, nsga2, smsemoa, unsga3",
        ),
        (
            {"algorithm": "moead", "objectives": NAMES[:2], "constraints": ("macs<=2M",)},
            "neither constraints nor a region; this search has 2 (accuracy, macs) and macs<=2M; choose one of auto,",
        ),
        ({"algorithm": "moead", "objectives": NAMES[:2], "region": ("macs<=2M",)}, "neither constraints nor a region"),
    ],
)
@pytest.mark.parametrize("tactic", ["linas", "evolutionary", "random"])
def test_a_wrong_combination_is_refused_with_what_suits(tmp_path, settings, said, tactic):
    config = SearchConfig(space="fashion_mnist", tactic=tactic, **settings)
    with pytest.raises(InvalidConfig) as raised:
        search_in_context(fake_context(), config, tmp_path / "run", provenance={})
    assert said in str(raised.value)
    assert raised.value.field == "algorithm"
    assert not (tmp_path / "run").exists()


def test_an_unknown_algorithm_suggests_the_nearest():
    with pytest.raises(UnknownName, match=r"unknown algorithm 'nsgaii'.*did you mean 'nsga2'"):
        algorithm_of(SearchConfig(space="fashion_mnist", algorithm="nsgaii"))


def test_modules_that_algorithms_share_are_none():
    assert not {"breeding", "operators", "geometry"} & set(ALGORITHMS.names())


@pytest.mark.slow
def test_choosing_an_algorithm_does_not_load_pymoo():
    code = (
        "import sys; from gnomon.search import SearchConfig; from gnomon.search.evolution.algorithm import *\n"
        "for name in ALGORITHMS.names(): ALGORITHMS.load(name)().takes\n"
        "algorithm_of(SearchConfig(space='fashion_mnist')); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {name.split(".")[0] for name in loaded} & {"pymoo", "cma", "moocore", "scipy"}


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 70), m=st.integers(2, 5))
def test_directions_are_as_many_as_asked_distinct_and_on_the_simplex(n, m):
    found = directions(n, m)
    assert found.shape == (n, m)
    assert (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(len(found)))
    assert len(np.unique(np.round(found, 9), axis=0)) == len(found)
    if n >= m:
        assert (found.max(axis=1) > 1 - 1e-9).sum() == m  # every axis
