"""Reading a run costs the same for each evaluation, however many came before: counted, not timed."""

import json
import math

import numpy as np
import pytest

from gnomon.profilers.testing import sign_journal
from gnomon.search import SearchConfig, load_run
from gnomon.search.fronts.growing import hypervolumes
from gnomon.search.fronts.pareto import hypervolume
from gnomon.search.runs.files.spending import Spending
from gnomon.supernets import load_space

CONFIG = SearchConfig(space="fashion_mnist", objectives=("accuracy", "macs"), budget=1, tactic="random")


@pytest.fixture(scope="module")
def run_of(search, tmp_path_factory):
    """Return a function that writes a run of so many evaluations, in rounds of 50, and returns its folder."""
    first = search(tmp_path_factory.mktemp("first") / "run")
    space = load_space(CONFIG.space)
    template = json.loads((first.folder / "evaluations.jsonl").read_text().splitlines()[0])
    header = json.loads((first.folder / "run.json").read_text())

    def write(count):
        folder = tmp_path_factory.mktemp("large") / "run"
        folder.mkdir()
        rng = np.random.default_rng(0)
        rows = space.sample(count, rng)
        header["config"]["budget"] = count
        (folder / "run.json").write_text(json.dumps(header))
        lines = []
        for order, row in enumerate(rows.tolist()):
            values = {"accuracy": float(rng.uniform(50, 90)), "macs": float(rng.uniform(1e5, 1e6))}
            number, position = divmod(order, 50)
            lines.append(
                template
                | {"order": order, "round": number, "position": position, "size": 50, "values": values}
                | {"indices": row, "id": space.architecture(row).id}
            )
        (folder / "evaluations.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        sign_journal(folder / "evaluations.jsonl")
        return folder

    return write


def read(folder):
    run = load_run(folder)
    return len(run.measured), len(run.values), run.hypervolume_trace(), run.cost_trace(), run.cost, run.table()


def test_twice_the_evaluations_take_twice_the_steps(run_of, steps):
    small, large = run_of(200), run_of(400)
    read(small)  # what is computed once, as the space, is not counted
    assert steps(read, large) < 2.2 * steps(read, small)


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_a_growing_hypervolume_is_that_of_the_points_so_far(objectives):
    rng = np.random.default_rng(objectives)
    values = rng.integers(0, 12, (200, objectives)).astype(float)  # with repeats, and points beyond the corner
    directions, corner = ("max", "min", "min")[:objectives], (1.0, 10.0, 11.0)[:objectives]
    expected = [hypervolume(values[: n + 1], directions, corner) for n in range(len(values))]
    assert hypervolumes(values, directions, corner).tolist() == pytest.approx(expected)


def test_costs_are_added_as_exactly_as_at_once():
    shares = np.random.default_rng(0).choice([0.1, 0.3, 1.0, 1e-9], 5000).tolist()
    spending = Spending()
    for share in shares:
        spending.add(share)
    assert spending.total == math.fsum(shares)
