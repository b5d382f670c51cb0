"""The harness that methods of search are judged by: what it charges, what it keeps, what it shows."""

import json
import math
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_harness.driver import overridden, run_all, searched
from search_harness.entrants import ENTRANTS, Entrant, chosen
from search_harness.landscape import EXACT, OWN, volumes_of
from search_harness.macro import Macro, plain_space
from search_harness.results import Best, Outcome, Results
from search_harness.table import quantile, quartiles, reached_table, seeds_table, targets_table

from gnomon.search.archive import first_occurrences
from gnomon.search.tactic import Batch
from gnomon.supernets import load_space

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
OUTCOME = Outcome("macro", "exact", "random", OWN, 0, 4, 2, (1.0, 2.1, 3.2), (5.0, 7.0, 9.0), (0.1, 0.2, 0.3))


@dataclass(frozen=True)
class MultiFidelity:
    """Looks at a fifth of the images of five networks, then validates the best of them in full."""

    seen: list

    def ask(self, archive, n, rng, round):
        self.seen.append((len(archive.indices), len(archive.partial.shares), n))
        looked = archive.partial
        if len(looked.shares) <= 5 * len(archive.indices):
            rows = archive.topped_up(looked.indices[:0], 5, rng)
            return Batch.of(rows, 2, shares=np.full(5, 0.2))
        best = np.argmax(looked.values[-5:, 0])
        return Batch.of(looked.indices[-5:][best][None], 2)


@pytest.fixture
def macro(macro_table):
    return Macro(macro_table)


def multi_fidelity(seen):
    return Entrant(lambda landscape, config: MultiFidelity(seen), population=1)


def test_a_partial_evaluation_costs_its_share_and_enters_no_front(macro):
    seen = []
    outcome, rows = searched(macro, "multi_fidelity", multi_fidelity(seen), EXACT, seed=0, budget=7)
    assert outcome.costs == (2.0, 4.0, 6.0)
    assert outcome.partial_evaluations == 20
    assert len(rows) == len(outcome.volumes) == 3
    assert [partial for _, partial, _ in seen] == [0, 5, 5, 10, 10, 15, 15]
    assert list(outcome.volumes) == pytest.approx(volumes_of(macro, rows))


@dataclass(frozen=True)
class OneAndALook:
    """Asks for a validation and a look at two fifths of the images, in each round."""

    def ask(self, archive, n, rng, round):
        return Batch.of(archive.topped_up(archive.partial.indices[:0], 2, rng), 2, shares=np.array([1.0, 0.4]))


def test_what_is_left_of_a_budget_is_spent_on_what_fits(macro):
    entrant = Entrant(lambda landscape, config: OneAndALook(), population=2)
    outcome, rows = searched(macro, "both", entrant, EXACT, seed=0, budget=2)
    assert (len(rows), outcome.partial_evaluations) == (1, 2)


def test_volumes_are_of_noise_free_values_and_never_shrink(macro):
    outcome, rows = searched(macro, "random", ENTRANTS["random"], OWN, seed=1, budget=20)
    assert list(outcome.volumes) == sorted(outcome.volumes)
    assert outcome.costs == tuple(range(1, 21))
    assert outcome.volumes[-1] == pytest.approx(volumes_of(macro, rows[::-1])[-1])


def test_a_batch_that_costs_too_much_is_an_error(macro):
    @dataclass(frozen=True)
    class Greedy:
        def ask(self, archive, n, rng, round):
            return Batch.of(archive.topped_up(archive.indices[:0], n + 1, rng), 2)

    with pytest.raises(ValueError, match="asked for 2"):
        searched(macro, "greedy", Entrant(lambda *_: Greedy(), population=1), OWN, seed=0, budget=3)


def test_known_networks_cost_nothing_and_are_repriced(macro):
    rows = macro.space.sample(6, np.random.default_rng(0))
    known = [(row, float(top1)) for row, top1 in zip(rows, macro.top1(rows))]
    outcome, new = searched(macro, "random", ENTRANTS["random"], OWN, seed=0, budget=3, known=known)
    assert outcome.costs == (0.0,) * 6 + (1.0, 2.0, 3.0)
    assert len(new) == 3
    assert first_occurrences(np.concatenate([rows, new])).all()
    assert outcome.volume_at(0) == pytest.approx(volumes_of(macro, rows)[-1])


@pytest.mark.slow
@pytest.mark.parametrize("method", [name for name in ENTRANTS if "Optuna" not in name and "BoTorch" not in name])
def test_every_method_of_ours_spends_its_budget_in_both_variants(macro, method):
    entrant = ENTRANTS[method]
    if entrant.missing:
        pytest.skip(entrant.missing)
    for variant in entrant.variants:
        outcome, _ = searched(macro, method, entrant, variant, seed=0, budget=14)
        assert outcome.costs[-1] <= 14 + 1e-6
        assert outcome.volumes[-1] > 0


@pytest.mark.slow
@pytest.mark.parametrize(("method", "package"), [("Optuna NSGA-II", "optuna"), ("Optuna GP", "optuna")])
def test_other_peoples_methods_run(macro, method, package):
    pytest.importorskip(package)
    outcome, rows = searched(macro, method, ENTRANTS[method], OWN, seed=0, budget=13)
    assert outcome.costs == tuple(range(1, 14))
    assert first_occurrences(rows).all()


@pytest.mark.parametrize("variant", [EXACT, OWN])
@pytest.mark.filterwarnings("ignore")
def test_botorch_runs(macro, variant):
    pytest.importorskip("botorch")
    outcome, rows = searched(macro, "BoTorch", ENTRANTS["BoTorch qLogNEHVI"], variant, seed=0, budget=24)
    assert len(outcome.volumes) == 24
    assert first_occurrences(rows).all()


@pytest.mark.slow
def test_linas_of_the_paper_beats_chance(macro):
    settings = {"seed": 0, "budget": 40}
    paper, _ = searched(macro, "paper", ENTRANTS["LINAS of the paper, ridge"], EXACT, **settings)
    chance, _ = searched(macro, "random", ENTRANTS["random"], OWN, **settings)
    assert paper.volumes[-1] > chance.volumes[-1]


def test_genes_of_a_plain_space_all_count():
    space = load_space("fashion_mnist")
    plain = plain_space("plain", tuple(map(int, space.radices)))
    rows = np.zeros((1, len(space.choices)), dtype=np.int64) + space.radices - 1
    rows[0, 0] = 0
    assert np.array_equal(plain.canonical(rows), rows)
    assert plain.active(rows).all()


def fail_under(constants):
    with overridden(constants):
        raise RuntimeError


def test_constants_are_put_back_after_an_error():
    from gnomon.search.acquisition import opening

    before = opening.FIRST
    with overridden({"gnomon.search.acquisition.opening:FIRST": 99}):
        assert opening.FIRST == 99
    with pytest.raises(RuntimeError):
        fail_under({"gnomon.search.acquisition.opening:FIRST": 98})
    assert before == opening.FIRST
    with pytest.raises(AttributeError):
        fail_under({"gnomon.search.acquisition.opening:NOT_THERE": 1})


@pytest.mark.slow
def test_an_interrupted_benchmark_goes_on(macro_table, tmp_path):
    path = tmp_path / "results.jsonl"
    wanted = {"random": ENTRANTS["random"], "LINAS, ridge": ENTRANTS["LINAS, ridge"]}
    settings = {"variants": (OWN,), "seeds": range(2), "budget": 12, "jobs": 1}
    runs = run_all("macro", macro_table, wanted, Results.load(path), **settings)
    first = [next(runs), next(runs), next(runs)]
    with path.open("ab") as file:
        file.write(b'{"landscape": "mac')  # killed while writing the next one
    rest = list(run_all("macro", macro_table, wanted, Results.load(path), **settings))
    assert [(one.method, one.seed) for one in first + rest] == [
        ("random", 0),
        ("random", 1),
        ("LINAS, ridge", 0),
        ("LINAS, ridge", 1),
    ]
    assert len(Results.load(path).outcomes) == 4
    assert not list(run_all("macro", macro_table, wanted, Results.load(path), **settings))


@pytest.mark.slow
def test_two_processes_give_what_one_does(macro_table):
    settings = {"variants": (EXACT,), "seeds": range(2), "budget": 14}
    wanted = {name: ENTRANTS[name] for name in ("LINAS of the paper, ridge", "gnomon")}
    one, two = (
        sorted(
            run_all("macro", macro_table, wanted, Results(None, [], []), jobs=jobs, **settings),
            key=lambda outcome: (outcome.method, outcome.seed),
        )
        for jobs in (1, 2)
    )
    assert [outcome.volumes for outcome in one] == [outcome.volumes for outcome in two]


def test_a_damaged_line_in_the_middle_is_an_error(tmp_path):
    path = tmp_path / "results.jsonl"
    Results.load(path).add(OUTCOME)
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(SystemExit, match="line 1"):
        Results.load(path)


costs = st.lists(st.floats(0.01, 50), min_size=1, max_size=30).map(lambda steps: tuple(np.cumsum(steps).tolist()))


@pytest.mark.slow
@settings(max_examples=30)
@given(costs, st.floats(0, 2000))
def test_what_is_written_is_read(cost, volume):
    outcome = replace(OUTCOME, costs=cost, volumes=tuple(sorted(volume / (n + 1) for n in range(len(cost)))))
    assert Outcome(**{name: tuple(v) if isinstance(v, list) else v for name, v in as_json(outcome).items()}) == outcome


@given(costs)
def test_cost_and_volume_invert_each_other(cost):
    outcome = replace(OUTCOME, costs=cost, budget=10_000, volumes=tuple(float(n + 1) for n in range(len(cost))))
    for volume in outcome.volumes:
        assert outcome.volume_at(outcome.cost_of(volume)) == volume
    assert outcome.cost_of(len(cost) + 1.0) == math.inf
    assert outcome.volume_at(cost[0] / 2) == 0.0


def as_json(outcome):
    results = Results(None, [], [])
    results.add(outcome)
    return json.loads(json.dumps(outcome.__dict__))


def test_beyond_the_budget_nothing_is_claimed():
    assert math.isnan(OUTCOME.volume_at(5))
    assert OUTCOME.volume_at(4) == 9.0


def test_the_longest_run_of_a_seed_counts(tmp_path):
    results = Results.load(tmp_path / "results.jsonl")
    longer = replace(OUTCOME, budget=9)
    for one in (OUTCOME, longer, replace(OUTCOME, seed=1), replace(OUTCOME, setting="another")):
        results.add(one)
    assert results.runs("macro", "exact") == {("random", OWN): [longer, replace(OUTCOME, seed=1)]}
    assert results.has("macro", "exact", "random", OWN, 0, 8)
    assert not results.has("macro", "exact", "random", OWN, 1, 8)


def test_best_known_is_kept_in_the_file(tmp_path):
    Results.load(tmp_path / "results.jsonl").add(Best("macro", "exact", 12.5))
    assert Results.load(tmp_path / "results.jsonl").bests == [Best("macro", "exact", 12.5)]


def test_targets_not_reached_are_said_to_be_beyond_the_budget():
    assert quartiles([3.0, math.inf, math.inf], "{:g}", beyond="> 9") == "> 9"
    assert quartiles([3.0, 4.0, math.inf], "{:g}", beyond="> 9") == "4 (3.5 to > 9)"
    assert quartiles([1.0, math.nan], "{:g}") == "-"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
def test_quantiles_of_finite_values_are_numpys(values, q):
    assert quantile(values, q) == pytest.approx(np.quantile(values, q), abs=1e-9)


def test_tables_name_losses_and_what_linas_reaches():
    leader = replace(OUTCOME, method="LINAS, ridge", budget=500, costs=(1.0, 240.0, 480.0))
    runs = {("random", OWN): [OUTCOME], ("LINAS, ridge", OWN): [leader]}
    reached, targets = reached_table(runs, 10.0), targets_table(runs, 10.0)
    assert "| LINAS, ridge | own measurements | 1 | 0.500 (0.500 to 0.500)" in reached
    assert f"LINAS at 250, {OWN} (0.700)" in targets
    assert f"LINAS at 500, {OWN} (0.900)" in targets
    assert targets.splitlines()[2].startswith("| random | own measurements | 3.2 (3.2 to 3.2) | > 4 |")


def test_a_table_of_seeds_compares_processor_time_with_linas():
    costs, volumes = tuple(map(float, range(1, 201))), tuple(0.01 * n for n in range(1, 201))
    linas = replace(
        OUTCOME, method="LINAS of the paper, ridge", budget=200, costs=costs, volumes=volumes, seconds=costs
    )
    linas = replace(linas, validation_seconds=tuple(3.0 * n for n in costs))
    ours = replace(OUTCOME, method="gnomon", volumes=(1.0, 1.5, 2.0), validation_seconds=(2.0, 4.0, 6.0))
    runs = {(one.method, OWN): [one] for one in (linas, ours)}
    *_, row = seeds_table(runs).splitlines()
    assert "6 s, 100.0 times less" in row
    assert "| not |" in seeds_table({**runs, ("gnomon", OWN): [replace(ours, volumes=(1.0, 1.5, 1.9))]})


def test_an_unknown_method_is_answered_with_the_known_ones():
    with pytest.raises(SystemExit, match="there are random; NSGA-II"):
        chosen(ENTRANTS, "simulated annealing")
    assert list(chosen(ENTRANTS, "random;NSGA-II")) == ["random", "NSGA-II", "Optuna NSGA-II"]


def test_an_entrant_that_cannot_run_says_why():
    assert ENTRANTS["random"].missing is None
    assert "no setting boldness" in replace(ENTRANTS["gnomon"], settings={"boldness": 2}).missing
    assert "it needs surely_not_there" in replace(ENTRANTS["gnomon"], package="surely_not_there").missing


@pytest.mark.slow
def test_the_script_prints_both_tables_and_goes_on(macro_table, tmp_path):
    command = [sys.executable, str(BENCHMARKS / "search_efficiency.py"), "--landscape", "macro", "--jobs", "1"]
    command += ["--data", str(macro_table), "--results", str(tmp_path / "r.jsonl"), "--only", "random", "--seeds", "2"]
    ran = subprocess.run([*command, "--budget", "25"], capture_output=True, text=True, check=True)
    assert ran.stderr.count("random, own measurements, seed") == 2
    again = subprocess.run([*command, "--table"], capture_output=True, text=True, check=True)
    assert "seed" not in again.stderr
    assert ran.stdout.split("landscape macro")[1] == again.stdout.split("landscape macro")[1]
    assert "| validations to reach | knows | 0.90 |" in again.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("acquisition.opening:TRIAL_PARTIAL", 0.0),
        ("acquisition.opening:PAIRS", 1),
        ("acquisition.batch_choice:EXPLORATION", 9.0),
    ],
)
def test_constants_of_the_tactic_hold_while_they_are_overridden(macro, place, value):
    plain = ENTRANTS["gnomon"]
    other = replace(plain, constants={f"gnomon.search.{place}": value})
    usual, changed = (searched(macro, "gnomon", entrant, EXACT, seed=0, budget=24)[1] for entrant in (plain, other))
    assert not np.array_equal(usual, changed)


@pytest.mark.slow
def test_what_was_worked_out_under_other_constants_is_forgotten(macro):
    plain = ENTRANTS["gnomon"]
    other = replace(
        plain,
        constants={
            "gnomon.search.prediction.gaussian_process:LOCALS": (3.0,),
            "gnomon.search.prediction.gaussian_process:NOISES": (0.3,),
        },
    )
    first, ablated, again = (
        searched(macro, "gnomon", entrant, EXACT, seed=0, budget=20)[1].tolist() for entrant in (plain, other, plain)
    )
    assert first == again
    assert first != ablated
