import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.profilers.testing import sign_journal
from gnomon.search import Constraint, SearchConfig, SearchContext, load_run, search_in_context
from gnomon.search.errors import Infeasible, RunDamaged, RunLocked, RunMismatch
from gnomon.search.final.final import final_front, unpredicted
from gnomon.search.final.front import load_final
from gnomon.search.testing.contracts import AnalyticSupernet, fake_context
from gnomon.supernets import Architecture

pytestmark = pytest.mark.slow

CONFIG = SearchConfig(space="tiny", objectives=("accuracy", "latency"), tactic="random", budget=10, population=5)


@pytest.fixture
def profile(tiny, measured):
    return measured("tiny", "fake")


@pytest.fixture
def supernet(tiny):
    return AnalyticSupernet(tiny)


def searched(folder, supernet, profile, **changes):
    context = SearchContext(supernet.space, supernet, profile.latency, split=changes.get("split", "validation"))
    provenance = {"profile": {"name": profile.name, "sha256": profile.digest}, "checkpoint_sha256": "c" * 64}
    return search_in_context(context, CONFIG.model_copy(update=changes), folder, provenance=provenance)


@pytest.fixture
def run(tmp_path, supernet, profile):
    return searched(tmp_path / "run", supernet, profile)


@pytest.fixture(scope="module")
def kept_run(tmp_path_factory):
    """Return the folder of a run with its final front, once a test has made it."""
    return tmp_path_factory.mktemp("kept") / "run"


@pytest.fixture
def finished(tmp_path, tiny, supernet, profile, kept_run):
    """A copy of a run with its final front, to look at and to damage."""
    if not kept_run.exists():
        final_front(searched(kept_run, supernet, profile), supernet=supernet, profile=profile)
    return load_run(shutil.copytree(kept_run, tmp_path / "finished"))


def truth_us(profile):
    return {n.id: m.value_us for n, m in zip(profile.networks, profile.network_measurements)}


def test_members_are_validated_on_the_other_split_and_timed_whole(finished, supernet, profile):
    final = load_final(finished)
    front = finished.front()
    assert [member.id for member in final.members] == [architecture.id for architecture in front.architectures]
    for member, values in zip(final.members, front.values):
        assert tuple(member.search.values()) == values
        architecture = Architecture("tiny", member.indices)
        assert member.report == {"accuracy": supernet.evaluate(architecture, "test")}
        timing = final.timings[member.id]
        assert timing.predicted_us == member.search["latency"]
        assert timing.measured_us == truth_us(profile)[member.id]
        assert timing.low_us < timing.predicted_us < timing.high_us
        assert final.value_of(member) == member.report | {"latency": timing.measured_us}
    assert final.agreement.networks == len(front.values)
    assert final.agreement.anchor_ratio == 1.0


def test_the_final_front_has_final_values_only(finished, supernet, profile):
    final = load_final(finished)
    for architecture, (accuracy, latency_us) in zip(final.front().architectures, final.front().values):
        assert accuracy == supernet.evaluate(architecture, "test")
        assert latency_us == truth_us(profile)[architecture.id]


def test_controls_are_of_the_rounds_before_anything_was_predicted(run):
    assert [e.round for e in unpredicted(run)] == [0] * CONFIG.population  # nothing is ever predicted by tactic random
    predicted = [
        e.model_copy(update={"round": number // 2, "expected": {"accuracy": (90.0, 1.0)} if number >= 6 else None})
        for number, e in enumerate(run.evaluations[:8])
    ]
    assert unpredicted(replace(run, evaluations=tuple(predicted))) == predicted[:6]


def test_a_split_that_is_harder_for_all_is_not_taken_for_luck(run, supernet, profile):
    final = final_front(run, supernet=supernet, profile=profile, controls=3)
    assert [control.id for control in final.controls] == [e.id for e in run.evaluations[:3]]
    optimism = final.optimism["accuracy"]
    assert (optimism.front, optimism.controls, optimism.curse) == pytest.approx((0.25, 0.25, 0.0))
    assert final_front(run, supernet=supernet, profile=profile, controls=0, force=True).controls == ()


def test_a_search_on_the_test_split_is_reported_on_the_other(tmp_path, supernet, profile):
    run = searched(tmp_path / "other", supernet, profile, split="test")
    header = final_front(run, supernet=supernet, profile=profile).header
    assert (header.search_split, header.report_split) == ("test", "validation")


def test_a_sealed_final_front_is_read_back_and_not_made_again(run, supernet, profile):
    assert load_final(run) is None
    final = final_front(run, supernet=supernet, profile=profile)
    assert load_final(load_run(run.folder)) == final
    assert json.loads((run.folder / "final.json").read_text()) == json.loads(final.to_json())
    assert not (run.folder / "final.timing").exists()
    before = (run.folder / "final.jsonl").read_bytes()
    assert final_front(run, supernet=Counting(supernet), profile=profile) == final
    assert (run.folder / "final.jsonl").read_bytes() == before


class Counting:
    """A super-network that counts, and is interrupted at the `stop`-th evaluation."""

    def __init__(self, inner, stop=0):
        self.inner, self.stop, self.count = inner, stop, 0
        self.metric = inner.metric

    def evaluate(self, architecture, split, share=1.0):
        if self.count == self.stop:
            raise KeyboardInterrupt
        self.count += 1
        return self.inner.evaluate(architecture, split, share)


def test_an_interrupted_call_goes_on_and_repeats_nothing(run, supernet, profile):
    total = len(run.front().values) + 5
    for stop in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            final_front(run, supernet=Counting(supernet, stop), profile=profile, controls=5)
    assert not (run.folder / "final.json").exists()
    rest = Counting(supernet, total)
    final = final_front(run, supernet=rest, profile=profile, controls=5)
    assert rest.count == total - 3
    assert len(final.members) + len(final.controls) == total


@pytest.fixture
def whole(run, supernet, profile):
    return final_front(run, supernet=supernet, profile=profile, controls=2)


@pytest.mark.filterwarnings("default::gnomon.profilers.journal.TornLine")
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1))
def test_cut_at_any_byte_it_comes_to_the_same_end(run, supernet, profile, whole, share):
    path = run.folder / "final.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    (run.folder / "final.json").unlink()
    again = final_front(run, supernet=supernet, profile=profile, controls=2)
    assert without_seconds(again) == without_seconds(whole)


def without_seconds(final):
    found = final.as_json()
    members = [member | {"seen": member["seen"] | {"load_ms": 0}} for member in found["members"]]
    controls = [control | {"seconds": 0} for control in found["controls"]]
    return found | {"members": members, "controls": controls}


def test_timing_goes_on_in_the_middle(run, supernet, profile, monkeypatch):
    from gnomon.profilers.transports.local import LocalDevice

    def interrupted(device, plan, results, *, on_progress=None):
        def stop(event):
            raise KeyboardInterrupt

        real(device, plan, results, on_progress=stop)

    real = LocalDevice.run
    with monkeypatch.context() as patched:
        patched.setattr(LocalDevice, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            final_front(run, supernet=supernet, profile=profile)
    kept = (run.folder / "final.timing" / "results.jsonl").read_text().count('"record":"visit"')
    assert kept >= 1
    final = final_front(run, supernet=supernet, profile=profile)
    assert all(timing.measured_us for timing in final.timings.values())


@pytest.mark.parametrize("changed", ["device", "hardware", "versions"])
def test_elsewhere_latency_stays_predicted_and_it_says_so(run, supernet, profile, changed):
    value = "other-4c" if changed == "device" else {**getattr(profile.header, changed), "fake": "9", "cpus": 99}
    other = replace(profile, header=profile.header.model_copy(update={changed: value}))
    final = final_front(run, supernet=supernet, profile=other)
    assert ("another runtime" if changed == "versions" else "another device") in final.header.not_timed
    assert final.agreement is None
    assert all(timing.measured_us is None and timing.low_us for timing in final.timings.values())
    assert {final.value_of(member)["latency"] for member in final.members} == {v[1] for v in run.front().values}
    assert not (run.folder / "final.timing").exists()


def test_without_a_profile_latency_stays_predicted_and_it_says_so(run, supernet):
    final = final_front(run, supernet=supernet)
    assert "no profile was given" in final.header.not_timed
    assert (final.timings, final.agreement) == ({}, None)


def test_a_member_that_cannot_be_timed_is_left_undecided(run, supernet, profile, monkeypatch):
    import hashlib

    from gnomon.supernets.graph import graph_from_layers

    architecture = run.front().architectures[0]
    model = graph_from_layers(supernet.space.layers(architecture))
    monkeypatch.setenv("FAKE_REFUSES", hashlib.sha256(model).hexdigest())
    final = final_front(run, supernet=supernet, profile=profile)
    assert final.standings[0].on_front is None
    assert "could not be timed" in final.standings[0].reason
    assert "does not like it" in final.standings[0].reason
    assert architecture not in final.front().architectures
    assert all(standing.on_front is not None for standing in final.standings[1:])


def test_measured_latencies_are_held_against_the_constraints(tmp_path, supernet, profile):
    free = searched(tmp_path / "free", supernet, profile)
    truth = truth_us(profile)
    gaps = {
        a.id: truth[a.id] - latency_us for a, (_, latency_us) in zip(free.front().architectures, free.front().values)
    }
    slower = max(gaps, key=gaps.__getitem__)
    assert gaps[slower] > 0
    bound = truth[slower] - gaps[slower] / 2
    run = searched(tmp_path / "bound", supernet, profile, constraints=(f"latency<={bound!r}us",))
    final = final_front(run, supernet=supernet, profile=profile)
    standing = dict(zip(final.header.front, final.standings))[slower]
    assert (standing.on_front, standing.reason.partition("<=")[0]) == (False, "breaks latency")


def test_when_no_member_keeps_the_constraints_there_is_no_front(run, supernet, profile):
    final = final_front(run, supernet=supernet, profile=profile)
    with pytest.raises(Infeasible, match="no member of the final front"):
        replace(final, constraints=(Constraint("accuracy", ">=", 100.0, "percent"),)).front()


def test_another_checkpoint_than_the_runs_is_refused(run, supernet, profile):
    class Other(AnalyticSupernet):
        checkpoint_sha256 = "d" * 64

    with pytest.raises(RunMismatch, match="pass the run's own as `checkpoint`") as raised:
        final_front(run, supernet=Other(supernet.space), profile=profile)
    assert raised.value.fields == ("checkpoint_sha256",)
    assert not (run.folder / "final.jsonl").exists()


def test_another_final_front_is_refused_by_field_and_kept_unless_forced(run, supernet, profile):
    final_front(run, supernet=supernet, profile=profile)
    before = (run.folder / "final.jsonl").read_bytes()
    for asked, field in (({"controls": 2}, "controls"), ({"data": "elsewhere"}, "data")):
        with pytest.raises(RunMismatch, match="force=True") as raised:
            final_front(run, supernet=supernet, profile=profile, **asked)
        assert raised.value.fields == (field,)
    with pytest.raises(RunMismatch, match=r"profile\.sha256") as raised:
        final_front(run, supernet=supernet)
    assert {"profile.sha256", "not_timed"} <= set(raised.value.fields)
    assert (run.folder / "final.jsonl").read_bytes() == before
    assert final_front(run, supernet=supernet, force=True).timings == {}


def test_a_run_that_went_on_needs_a_new_final_front(run, supernet, profile):
    final_front(run, supernet=supernet, profile=profile)
    changed = searched(run.folder, supernet, profile, budget=12)
    with pytest.raises(RunMismatch, match="force=True") as raised:
        load_final(changed)
    assert raised.value.fields == ("run",)
    with pytest.raises(RunMismatch) as raised:
        final_front(changed, supernet=supernet, profile=profile)
    assert "run" in raised.value.fields


def test_a_profile_is_refused_where_no_latency_was_searched(tmp_path, profile):
    config = SearchConfig(
        space="fashion_mnist", objectives=("accuracy", "macs"), tactic="random", budget=4, population=2
    )
    run = search_in_context(fake_context(), config, tmp_path / "macs", provenance={})
    with pytest.raises(RunMismatch, match="does not optimise latency"):
        final_front(run, supernet=fake_context().supernet, profile=profile)
    final = final_front(run, supernet=fake_context().supernet)
    assert final.header.not_timed is None
    assert final.costly == ("accuracy",)


@pytest.mark.parametrize(
    ("number", "change", "said"),
    [
        (1, {"record": "note"}, "'note' is none of header, validation"),
        (1, {"id": "00000000"}, "00000000 is not a member"),
        (2, {"seconds": -1}, "seconds"),
        (0, {"version": 9}, "version"),
        (0, {"record": "pace"}, "anchor_ratio"),
    ],
)
def test_a_wrong_record_is_named(finished, number, change, said):
    path = finished.folder / "final.jsonl"
    lines = path.read_text().splitlines()
    lines[number] = json.dumps(json.loads(lines[number]) | change)
    path.write_text("\n".join(lines) + "\n")
    sign_journal(path)
    with pytest.raises(RunDamaged, match=f"line {number + 1}: .*{said}") as raised:
        load_final(finished)
    assert raised.value.line_number == number + 1


def test_edited_repeated_and_lost_lines_are_found(finished):
    path = finished.folder / "final.jsonl"
    lines = path.read_text().splitlines()
    genes = json.dumps(json.loads(lines[1]) | {"indices": [0, 0, 7]})
    for content, said in (
        ([lines[0], genes, *lines[2:]], "genes are not those"),
        ([*lines[:2], lines[1], *lines[2:]], "a second validation of member"),
        ([lines[0], *lines[2:]], "not all of the sealed final front"),
    ):
        path.write_text("\n".join(content) + "\n")
        sign_journal(path)
        with pytest.raises(RunDamaged, match=said):
            load_final(finished)


def test_two_processes_do_not_write_one_final_front(run, supernet, profile):
    with FileLock(run.folder / "lock"), pytest.raises(RunLocked, match="another process"):
        final_front(run, supernet=supernet, profile=profile)


def test_the_latency_of_the_profile_given_is_measured_and_others_stay_predicted(tmp_path, supernet, profile):
    from gnomon.search.deployments.profiles import provenance_from

    class Slower:
        name, digest, header = "slow", "5" * 64, profile.header

        def value_us(self, indices):
            return 3.0 * profile.latency.value_us(indices)

    latency = {"here": profile.latency, "there": Slower()}
    config = CONFIG.model_copy(
        update={"objectives": ("accuracy", "latency@there", "latency@here"), "constraints": ("macs<=1G",)}
    )
    run = search_in_context(
        SearchContext(supernet.space, supernet, latency),
        config,
        tmp_path / "run",
        provenance=provenance_from({"here": profile, "there": Slower()}),
    )
    final = final_front(run, supernet=supernet, profile=profile)
    assert final.header.latency == "latency@here"
    for member in final.members:
        value = final.value_of(member)
        assert value["latency@here"] == truth_us(profile)[member.id]
        assert value["latency@there"] == member.search["latency@there"]
    assert load_final(run).records == final.records
    assert final.front().architectures


def test_a_profile_that_none_of_several_latencies_came_from_is_refused(tmp_path, supernet, profile):
    run = search_in_context(
        SearchContext(supernet.space, supernet, {"a": profile.latency}),
        CONFIG.model_copy(update={"objectives": ("accuracy", "latency@a")}),
        tmp_path / "run",
        provenance={"profile": None, "profiles": {"a": {"name": "other", "sha256": "f" * 64}}},
    )
    with pytest.raises(RunMismatch, match="searched with latency@a from other") as raised:
        final_front(run, supernet=supernet, profile=profile)
    assert raised.value.fields == ("profile.sha256",)


def test_the_final_front_of_a_run_of_an_earlier_format_loads_forever():
    run = load_run(Path(__file__).parents[1] / "samples" / "finished_v3")
    final = load_final(run)
    assert [member.id for member in final.members]
    assert {member.id for member in final.members} <= {one.architecture.id for one in run.measured}
