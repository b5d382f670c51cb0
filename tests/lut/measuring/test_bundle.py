"""From a space to a bundle, and from what a device brings back to a profile; or to a refusal."""

import json
import shutil
from dataclasses import replace

import pytest

from gnomon.lut import (
    LutError,
    ProfileMismatch,
    ResultsIncomplete,
    build_profile,
    bundle_request,
    create_bundle,
    estimate_bundle,
    import_results,
)
from gnomon.outputs import OutputUnusable
from gnomon.profilers import BundleDamaged, JournalDamaged, PlanMismatch, PlannedModel, RunConfig, write_plan
from gnomon.profilers.testing import sign_journal
from gnomon.profilers.transports.bundle import unpack_beside, write_bundle
from gnomon.profilers.transports.bundle_device import run_bundle
from gnomon.supernets import load_space


@pytest.fixture
def request_(tiny, quick_policy):
    return bundle_request("tiny", precision="fp32", batch=1, networks=12, layers=True, policy=quick_policy)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """Where the bundle and its results are made for the first test that needs them, and kept for the others."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def bundle(request_, once, tmp_path):
    if not (once / "x.zip").exists():
        create_bundle(request_, once / "x.zip")
    return shutil.copy(once / "x.zip", tmp_path / "x.zip")


@pytest.fixture
def results(bundle, once, tmp_path):
    made = run_bundle(unpack_beside(once / "x.zip"), "fake", threads=2)  # which does nothing the second time
    return shutil.copy(made, tmp_path / "r.jsonl")


def edit(results, change):
    """Change the records of a results file."""
    records = [json.loads(line) for line in results.read_text().splitlines()]
    results.write_text("".join(json.dumps(record) + "\n" for record in change(records)))
    sign_journal(results)


@pytest.mark.slow
def test_a_device_brings_back_what_profiling_it_would_have_given(request_, bundle, results, tmp_path):
    profile, path = import_results(bundle, results, tmp_path / "deep" / "p.jsonl")
    here = build_profile(replace(request_, backend="fake", config=RunConfig(threads=2)), tmp_path / "here.jsonl")
    assert path == tmp_path / "deep" / "p.jsonl"
    assert profile.table == here.table
    assert profile.fit == here.fit
    assert profile.header.plan == here.header.plan
    assert (profile.header.backend, profile.header.config.threads) == ("fake", 2)
    assert profile.header.hardware == here.header.hardware


def test_the_profile_is_named_after_the_device_that_measured(bundle, results, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def on_a_board(records):
        for record in records:
            if record["record"] == "session":
                record["hardware"]["board"] = "Raspberry Pi 5 Model B"
                record["hardware"]["cpus"] = 4
        return records

    edit(results, on_a_board)
    profile, path = import_results(bundle, results)
    assert path.name == "raspberry-pi-5-model-4c.fake.fp32.b1.t2.jsonl"
    assert profile.header.device == "raspberry-pi-5-model-4c"


@pytest.mark.slow
def test_whole_networks_alone_can_be_asked_for(tiny, quick_policy, tmp_path):
    request = bundle_request("tiny", precision="fp32", batch=1, networks=12, layers=False, policy=quick_policy)
    create_bundle(request, tmp_path / "n.zip")
    found = run_bundle(unpack_beside(tmp_path / "n.zip"), "fake", threads=1)
    profile, _ = import_results(tmp_path / "n.zip", found, tmp_path / "p.jsonl")
    assert (profile.table.measurements, profile.fit.networks) == ({}, 12)


def test_the_estimate_is_near_what_is_written(request_, bundle, quick_policy):
    estimate = estimate_bundle(
        bundle_request("fashion_mnist", precision="fp32", batch=1, networks=30, layers=True, policy=quick_policy)
    )
    assert (estimate.layers, estimate.networks) == (154, 30)
    assert 0.8 < estimate.size_mib / 16.3 < 1.2  # which is what its models had when this was written
    assert 0 < estimate.minutes[0] <= estimate.minutes[1] == quick_policy.time_cap_s / 60


def test_requests_that_make_no_profile_are_refused(tiny, quick_policy, tmp_path):
    with pytest.raises(LutError, match="precision is 'fp7'"):
        bundle_request("tiny", precision="fp7", batch=1, networks=12, layers=True, policy=quick_policy)
    few = bundle_request("tiny", precision="fp32", batch=1, networks=2, layers=True, policy=quick_policy)
    with pytest.raises(LutError, match="to verify a profile"):
        create_bundle(few, tmp_path / "x.zip")
    assert not list(tmp_path.glob("*.zip"))


@pytest.mark.slow
def test_an_existing_file_is_kept_unless_forced(request_, bundle, results, tmp_path):
    with pytest.raises(OutputUnusable, match="force=True"):
        create_bundle(request_, bundle)
    create_bundle(request_, bundle, force=True)
    (tmp_path / "p.jsonl").write_text("precious")
    for force in (False, True):
        with pytest.raises(OutputUnusable, match="is not a hardware profile that Gnomon wrote"):
            import_results(bundle, results, tmp_path / "p.jsonl", force=force)
    assert (tmp_path / "p.jsonl").read_text() == "precious"
    (tmp_path / "p.jsonl").unlink()
    import_results(bundle, results, tmp_path / "p.jsonl")
    import_results(bundle, results, tmp_path / "p.jsonl", force=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputUnusable):
        create_bundle(request_, tmp_path / "file" / "x.zip")
    with pytest.raises(OutputUnusable):
        import_results(bundle, results, tmp_path / "file" / "p.jsonl")


def test_results_of_another_bundle_are_refused(request_, results, tmp_path):
    create_bundle(replace(request_, networks=11), tmp_path / "other.zip")
    with pytest.raises(PlanMismatch, match="Import them with the bundle that they were measured with"):
        import_results(tmp_path / "other.zip", results, tmp_path / "p.jsonl")


def test_results_of_an_unfinished_run_are_refused_with_the_command_that_finishes_it(bundle, results, tmp_path):
    edit(results, lambda records: records[:20])
    with pytest.raises(ResultsIncomplete, match=r"of 19 models.*--backend fake --threads 2"):
        import_results(bundle, results, tmp_path / "p.jsonl")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda records: [dict(records[0], backend="../../evil"), *records[1:]], PlanMismatch),
        (lambda records: [dict(records[0], config=dict(records[0]["config"], threads=9)), *records[1:]], PlanMismatch),
        (lambda records: [dict(r, key="another") if r["record"] == "visit" else r for r in records], PlanMismatch),
        (lambda records: [dict(r, session="x") if r["record"] == "visit" else r for r in records], JournalDamaged),
        (lambda records: [dict(r, role="network") if r["record"] == "visit" else r for r in records], PlanMismatch),
        (lambda records: [records[0], records[-1]], JournalDamaged),
        (
            lambda records: [
                dict(r, block_us=[-1.0] * len(r["block_us"])) if r["record"] == "visit" else r for r in records
            ],
            JournalDamaged,
        ),
        (lambda records: [dict(r, loops=0) if r["record"] == "visit" else r for r in records], JournalDamaged),
        (lambda records: [dict(r, t_s="1e999") if r["record"] == "visit" else r for r in records], JournalDamaged),
        (
            lambda records: [
                dict(r, hardware=dict(r["hardware"], board=7)) if r["record"] == "session" else r for r in records
            ],
            LutError,
        ),
        (lambda records: records[1:], JournalDamaged),
        (lambda records: [*records, {"record": "surprise"}], JournalDamaged),
    ],
)
def test_results_that_no_run_gives_are_refused(bundle, results, tmp_path, monkeypatch, change, error):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    edit(results, change)
    with pytest.raises(error):
        import_results(bundle, results)
    assert sorted(tmp_path.iterdir()) == before


def test_a_bundle_of_models_that_its_space_does_not_have_is_refused(request_, results, tmp_path, quick_policy):
    space = load_space("tiny")
    origin = {"space": "tiny", "space_digest": space.digest, "layers": True}
    for key, role in (("stranger", "layer"), ("network:9,9,9", "network"), ("anchor:stranger", "anchor")):
        models = [PlannedModel(key, role, b"model"), PlannedModel("network:0,0,0", "network", b"model")]
        folder = tmp_path / role
        plan = write_plan(folder, backend="", config=RunConfig(), policy=quick_policy, models=models)
        bundle = write_bundle(tmp_path / "s.zip", folder, plan=plan, origin=origin, title="A test")
        digest = bundle.plan("fake", device="cpu", threads=2).digest
        edit(results, lambda records, digest=digest: [dict(records[0], plan=digest), *records[1:]])
        with pytest.raises(BundleDamaged, match="which the space tiny does not have"):
            import_results(tmp_path / "s.zip", results, tmp_path / "p.jsonl")


def test_another_version_of_the_space_is_refused(bundle, results, tiny, tmp_path, monkeypatch):
    from gnomon.lut.measuring import bundle_checks

    another = load_space("fashion_mnist")
    monkeypatch.setattr(bundle_checks, "load_space", lambda name: another)
    with pytest.raises(ProfileMismatch, match="another version of the space") as raised:
        import_results(bundle, results, tmp_path / "p.jsonl")
    assert raised.value.fields == ("space_digest",)


def test_a_results_file_that_is_not_there_is_said(bundle, tmp_path):
    with pytest.raises(LutError, match="cannot read"):
        import_results(bundle, tmp_path / "nothing.jsonl", tmp_path / "p.jsonl")
