"""A small part of what `benchmarks/faults.py` tries: hostile input is read or refused, and nothing else happens."""

import shutil
import stat
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fault_trials.arguments import Parameter, Verb, hostile_arguments, run_quietly
from fault_trials.bundles import entries_of, hostile_bundle, unpacked, whole_bundle, zipped
from fault_trials.command import Tally
from fault_trials.files import damage, obey_modes, set_modes
from fault_trials.forked import Forked, die
from fault_trials.inputs import altered, hostile_json
from fault_trials.trial import tried
from fault_trials.undisturbed import names_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon import load_profile, load_run
from gnomon.cli.options.settings_file import read_settings
from gnomon.lut.profile_file.store import path_of_profile
from gnomon.profilers import Journal, read_journal, read_results
from gnomon.profilers.errors import BundleDamaged
from gnomon.search import SearchConfig

TESTS = Path(__file__).parents[1]
RESULTS = TESTS / "profilers" / "samples" / "results-v3.jsonl"
RUN = TESTS / "search" / "samples" / "run_v5"
PROFILE = "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"
CHECKS = (
    *("is not a whole zip file", "no plain file of a bundle", "twice", "expected one folder", "has the SHA-256"),
    *("would unpack to", "is not a usable bundle.json", "lacks", "which its manifest does not list"),
)
QUICK = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEEDS = st.integers(0, 2**32 - 1)

pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path):
    return Path(shutil.copytree(RUN, tmp_path / "run"))


def refused_or_read(path, hostile, read):
    path.write_bytes(hostile)
    tally = Tally("")
    tried(tally, lambda: read(path), hostile)
    assert not tally.wrong


def read_measurements(path):
    results = read_results(path)
    return results.measurements, results.anchors, results.contention, results.at_s


def read_run(path):
    run = load_run(path.parent)
    return run.front(), run.hypervolume_trace(), run.table(), str(run)


@QUICK
@given(SEEDS)
def test_hostile_results(tmp_path, seed):
    hostile = hostile_json(RESULTS.read_bytes(), np.random.default_rng(seed))
    refused_or_read(
        tmp_path / "r.jsonl", hostile, lambda path: (read_results(path).measurements, read_results(path).at_s)
    )


@pytest.mark.parametrize("name", ["run.json", "evaluations.jsonl"])
def test_hostile_runs(run, name):
    content = (run / name).read_bytes()
    for seed in range(25):
        refused_or_read(run / name, hostile_json(content, np.random.default_rng(seed)), read_run)
        (run / name).write_bytes(content)


@QUICK
@given(SEEDS)
def test_hostile_profiles(tmp_path, seed):
    lines = path_of_profile(PROFILE).read_bytes().splitlines(keepends=True)
    few = b"".join([*lines[:4], *lines[-3:]])
    hostile = hostile_json(few, np.random.default_rng(seed))
    refused_or_read(tmp_path / "p.jsonl", hostile, lambda path: list(load_profile(path).table.measurements.values()))


@QUICK
@given(SEEDS)
def test_hostile_settings(tmp_path, seed):
    content = b'space = "fashion_mnist"\nbudget = 10\nseed = 3\nobjectives = ["accuracy", "macs"]\n'
    hostile = altered(content, np.random.default_rng(seed))
    refused_or_read(tmp_path / "c.toml", hostile, lambda path: SearchConfig.model_validate(read_settings(path)))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return whole_bundle(tmp_path_factory.mktemp("bundle"))


def test_the_bundle_that_hostile_ones_are_made_of_is_read(tmp_path, bundle):
    path = tmp_path / "b.zip"
    path.write_bytes(bundle)
    assert unpacked(path).backend == "onnxruntime"
    path.write_bytes(zipped(entries_of(bundle)))
    assert [item.role for item in unpacked(path).items] == ["layer", "layer", "anchor"]


def test_hostile_bundles_get_as_far_as_each_check(tmp_path, bundle):
    path, said = tmp_path / "b.zip", set()
    for seed in range(120):
        path.write_bytes(hostile_bundle(bundle, np.random.default_rng(seed)))
        try:
            unpacked(path)
        except BundleDamaged as error:
            said |= {word for word in CHECKS if word in str(error)}
    assert said == set(CHECKS)


def test_hostile_arguments(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parameters, tally = (
        (Parameter("", (PROFILE, "run")), Parameter("--json", ()), Parameter("--out", ("o.csv",))),
        Tally(""),
    )
    typed = (("lut", "show"), ("pareto",), ("runs", "export"), ("lut", "merge"))
    for seed in range(12):
        words = hostile_arguments([Verb(words, parameters) for words in typed], np.random.default_rng(seed))
        tried(tally, lambda words=words: run_quietly(words), words)
    assert not tally.wrong


def test_a_journal_damaged_at_any_of_its_first_bytes_is_refused_or_a_prefix(tmp_path):
    path = tmp_path / "r.jsonl"
    with Journal(path) as journal:
        for line in read_journal(RESULTS)[0][:2]:
            journal.append(line, sync=False)
    tally = damage("results", path, lambda: [(v.key, v.block_us) for v in read_results(path).visits])
    assert not tally.wrong
    assert tally.counts["flip refused"] > 0.9 * path.stat().st_size


def test_a_verb_that_dies_before_any_of_its_operations_leaves_nothing_that_is_not_whole(tmp_path):
    place, arguments = tmp_path / "place", ["lut", "export", PROFILE, "--out", "t.csv"]
    place.mkdir()
    whole = Forked(arguments, place, tmp_path / "log")
    assert whole.wait(expected=frozenset((0,))) == ""
    content = (place / "t.csv").read_bytes()
    assert whole.operations > 3
    for number in range(1, whole.operations + 1):
        (place / "t.csv").unlink(missing_ok=True)
        killed = Forked(arguments, place, tmp_path / "log", at=(number, partial(die, alone=bool(number % 2))))
        assert killed.wait() == ""
        assert killed.code == -9
        assert not (place / "t.csv").exists() or (place / "t.csv").read_bytes() == content
    (place / "t.csv").unlink(missing_ok=True)
    assert Forked(arguments, place, tmp_path / "log").wait(expected=frozenset((0,))) == ""
    assert names_in(place) == {"t.csv"}


@pytest.mark.skipif(sys.platform != "linux", reason="root is bound by modes only where it can let go of its power")
def test_a_verb_that_loses_its_leave_to_write_says_so_and_goes_on_once_it_has_it(tmp_path):
    place, arguments, codes = tmp_path / "place", ["lut", "export", PROFILE, "--out", "t.csv"], set()
    place.mkdir()
    whole = Forked(arguments, place, tmp_path / "log")
    assert whole.wait(expected=frozenset((0,))) == ""
    content = (place / "t.csv").read_bytes()
    for number in range(1, whole.operations + 1, 3):
        (place / "t.csv").unlink(missing_ok=True)
        forbid = partial(set_modes, place, stat.S_IRUSR | stat.S_IXUSR)
        process = Forked(arguments, place, tmp_path / "log", at_first=obey_modes, at=(number, forbid))
        assert process.wait(expected=frozenset((0, 2))) == ""
        codes.add(process.code)
        assert (place / "t.csv").exists() or process.code == 2
        set_modes(place, stat.S_IRWXU)
        assert not (place / "t.csv").exists() or (place / "t.csv").read_bytes() == content
    assert 2 in codes
    (place / "t.csv").unlink(missing_ok=True)
    assert Forked(arguments, place, tmp_path / "log").wait(expected=frozenset((0,))) == ""
    assert names_in(place) == {"t.csv"}
