import json
from dataclasses import replace

import numpy as np
import pytest

from gnomon.lut import ProfileMismatch, load_profile, shipped_profiles
from gnomon.profilers.testing import sign_journal
from gnomon.search import SearchConfig, Study, load_run
from gnomon.search.deployments.profiles import one_profile
from gnomon.search.errors import InvalidConfig, RunMismatch
from gnomon.search.export.choice import chosen_from
from gnomon.search.final.final import final_front
from gnomon.search.final.front import load_final
from gnomon.search.runs.repricing import repriced
from gnomon.search.testing.contracts import AnalyticSupernet


def shipped(backend, space="fashion_mnist"):
    return load_profile(next(n for n in shipped_profiles() if n.startswith(f"{space}/") and f".{backend}." in n))


@pytest.fixture(scope="module")
def first():
    return shipped("onnxruntime")


@pytest.fixture(scope="module")
def other():
    return shipped("openvino")


def told(folder, profile=None, *, devices=None, deployments=None, **changes):
    """Search with accuracies that a network's id decides."""
    settings = {"space": "fashion_mnist", "tactic": "random", "budget": 60, "population": 4} | changes
    with Study(SearchConfig(**settings), folder, profile=profile, devices=devices, deployments=deployments) as study:
        while not study.done:
            for trial in study.ask():
                study.tell(trial, accuracy=80 + int(trial.id[:4], 16) / 65536 * 10, seconds=0.0)
        return study.run


def latency_us(profile, architectures):
    return profile.latency.value_us(np.array([a.indices for a in architectures]))


@pytest.mark.slow
def test_every_latency_and_so_the_front_is_the_other_profiles(tmp_path, first, other):
    run = told(tmp_path / "run", first)
    priced = repriced(run, other)
    networks = [one.architecture for one in run.measured]
    assert [one.architecture for one in priced.measured] == networks
    assert np.array_equal(priced.values[:, 0], run.values[:, 0])
    assert np.array_equal(priced.values[:, 1], latency_us(other, networks))
    front = priced.front()
    assert [values[1] for values in front.values] == list(latency_us(other, front.architectures))
    assert front.architectures != run.front().architectures
    assert priced.hypervolume() > 0
    assert (first.name in str(priced.pricing), other.name in str(priced.pricing)) == (True, True)
    assert load_run(run.folder).values.tolist() == run.values.tolist()  # the folder is as it was
    assert repriced(priced, first).values.tolist() == run.values.tolist()


def test_a_rule_is_kept_under_the_profile_that_predicts(tmp_path, first, other):
    run = told(tmp_path / "run", first)
    members = run.front().architectures
    possible = repriced(run, other).values[:, 1].min()
    bound = next(
        float(us) for us, there in zip(latency_us(first, members), latency_us(other, members)) if there > us >= possible
    )
    rule = f"latency<={bound!r}us"
    by_own = float(latency_us(other, [run.front().pick(rule)])[0])
    picked = chosen_from(repriced(run, other), rule).network
    assert float(latency_us(other, [picked])[0]) <= bound
    assert by_own > bound  # what the run's own prices would have picked breaks it


def test_an_id_of_the_runs_own_front_can_be_had_all_the_same(tmp_path, first, other):
    run = told(tmp_path / "run", other)
    priced = repriced(run, first)
    gone = next(a for a in run.front().architectures if a not in priced.front().architectures)
    assert chosen_from(priced, gone.id, shown=run).network == gone


def test_constraints_mean_the_new_latencies(tmp_path, first, other):
    run = told(tmp_path / "run", first, objectives=("accuracy", "macs"), constraints=("latency<=60us",))
    priced = repriced(run, other)
    assert (latency_us(first, run.front().architectures) <= 60).all()
    assert (latency_us(other, priced.front().architectures) <= 60).all()
    assert not (latency_us(other, run.front().architectures) <= 60).all()


def test_its_own_profile_and_no_latency_change_nothing(tmp_path, first, other):
    run = told(tmp_path / "run", first)
    assert repriced(run, first) is run
    assert repriced(run, [first]) is run
    assert repriced(run, None) is run
    macs = told(tmp_path / "macs", None, objectives=("accuracy", "macs"))
    assert repriced(macs, other) is macs


def test_evidence_of_another_run_is_priced_too(tmp_path, first, other):
    before = told(tmp_path / "before", first)
    config = SearchConfig(space="fashion_mnist", tactic="random", budget=2, population=2)
    provenance = {"checkpoint_sha256": "c" * 64}
    # a run of known checkpoint, so that its values count
    header = before.header.model_copy(update={"provenance": before.header.provenance.having(**provenance)})
    (before.folder / "run.json").write_text(header.model_dump_json(by_alias=True))
    with Study(
        config,
        tmp_path / "run",
        profile=first,
        provenance=provenance,
        start_from=load_run(before.folder),
    ) as study:
        run = study.run
    assert len(run.measured) == len(before.measured)
    priced = repriced(run, other)
    assert np.array_equal(priced.values[:, 1], latency_us(other, [one.architecture for one in priced.measured]))


def named(profile, **header):
    return replace(profile, header=profile.header.model_copy(update=header))


def test_what_cannot_be_priced_is_refused_with_the_reason(tmp_path, first, other):
    run = told(tmp_path / "run", first)
    config = other.header.config.model_copy(update={"precision": "int8"})
    with pytest.raises(RunMismatch, match=r"are run in fp32, and the profile .* is of int8"):
        repriced(run, named(other, config=config))
    with pytest.raises(ProfileMismatch, match="is of space 'bert_minilm'"):
        repriced(run, shipped("onnxruntime", "bert_minilm"))
    with pytest.raises(RunMismatch, match="is given for latency@pi5"):
        repriced(run, {"pi5": other})
    with pytest.raises(InvalidConfig, match="give the one"):
        repriced(run, [first, other])


def test_memory_that_the_runs_own_profile_measured_cannot_be_mixed_with_another(tmp_path, first, other):
    run = told(tmp_path / "run", first)
    memory = replace(run.header.objectives[0], name="memory", unit="MiB", direction="min")
    objectives = (*run.header.objectives, memory)
    evaluations = tuple(e.model_copy(update={"values": {**e.values, "memory": 60.0}}) for e in run.evaluations)
    header = run.header.model_copy(update={"objectives": objectives})
    with pytest.raises(RunMismatch, match="measured memory under its own profile"):
        repriced(replace(run, header=header, evaluations=evaluations), other)


def test_of_several_devices_the_one_named_is_priced(tmp_path, first, other):
    objectives = ("accuracy", "latency@a", "latency@b")
    run = told(tmp_path / "run", devices={"a": first, "b": other}, objectives=objectives)
    priced = repriced(run, {"a": other})
    assert np.array_equal(priced.values[:, 1], priced.values[:, 2])
    assert np.array_equal(priced.values[:, 2], run.values[:, 2])
    assert priced.header.provenance.sources["latency@a"].sha256 == other.digest
    assert repriced(run, other) is run  # one of the run's own, of whatever name
    with pytest.raises(RunMismatch, match="name the latency that it stands for"):
        repriced(run, named(replace(other, digest="0" * 64)))


def test_new_deployments_replace_the_old(tmp_path, first, other):
    both = [first, other]
    run = told(tmp_path / "run", deployments=both)
    assert repriced(run, both) is run
    assert repriced(run, first) is run  # one of its deployments: nothing is priced anew, and it times what runs so
    slower = replace(other, digest="1" * 64, name="elsewhere")
    priced = repriced(run, [slower])
    assert np.array_equal(priced.values[:, 1], latency_us(other, [one.architecture for one in priced.measured]))
    chosen = chosen_from(priced, "knee")
    assert chosen.deployment.name == "elsewhere"
    assert one_profile([slower], chosen.deployment) is slower


def test_a_profile_of_another_deployment_than_the_chosen_one_does_not_predict_it(tmp_path, first, other):
    run = told(tmp_path / "run", deployments=[first, other])
    chosen = chosen_from(run, "knee").deployment
    wrong = other if chosen.sha256 == first.digest else first
    with pytest.raises(InvalidConfig, match="give the profile"):
        one_profile(wrong, chosen)


def test_a_final_front_is_of_the_profile_that_priced_it(tmp_path, first, other):
    run, said = told(tmp_path / "run", first), []
    elsewhere = named(other, device="another-board")
    final = final_front(run, supernet=AnalyticSupernet(first.space), profile=elsewhere, controls=0, on_step=said.append)
    assert "priced anew" in said[0]
    assert final.pricing == other.name
    priced = repriced(run, other)
    assert [m.id for m in final.members] == [a.id for a in priced.front().architectures]
    assert [m.search["latency"] for m in final.members] == [values[1] for values in priced.front().values]
    assert "another-board" in final.header.not_timed
    assert load_final(run) == final
    assert (final.prices_like(priced), final.prices_like(run)) == (True, False)
    shorter = replace(run, evaluations=run.evaluations[:-1])
    with pytest.raises(RunMismatch, match="earlier state"):
        load_final(shorter)


def test_final_fronts_of_the_first_version_still_load(tmp_path, first):
    run = told(tmp_path / "run", first)
    elsewhere = named(first, device="another-board")
    supernet = AnalyticSupernet(first.space)
    final = final_front(run, supernet=supernet, profile=elsewhere, controls=0)
    path = run.folder / "final.jsonl"
    header, *rest = path.read_text().splitlines()
    old = json.loads(header) | {"version": 1}
    del old["evaluations"]
    path.write_text("\n".join([json.dumps(old), *rest]) + "\n")
    sign_journal(path)
    assert load_final(run).members == final.members
    assert final_front(run, supernet=supernet, profile=elsewhere, controls=0).members == final.members
