import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.profilers import (
    PlanDamaged,
    PlanItem,
    PlanMismatch,
    PlannedModel,
    PlanPart,
    ProgramPart,
    RunConfig,
    TimingPlan,
    TimingPolicy,
    read_plan,
    write_plan,
)

MODELS = (
    PlannedModel("conv", "layer", b"one model"),
    PlannedModel("same conv", "anchor", b"one model"),
    PlannedModel("net", "network", b"another model"),
)


PROGRAM = PlannedModel("translator", "network", (ProgramPart("encoder", b"e"), ProgramPart("step", b"one model", 12)))


def write(folder, **changes):
    fields = {"backend": "fake", "config": RunConfig(), "policy": TimingPolicy(), "models": MODELS}
    return write_plan(folder, **{**fields, **changes})


def test_a_plan_comes_back_as_it_was_written(tmp_path):
    plan = write(tmp_path / "plan")
    assert read_plan(tmp_path / "plan") == plan
    assert [(item.key, item.role) for item in plan.items] == [(model.key, model.role) for model in MODELS]


def test_equal_models_are_stored_once(tmp_path):
    plan = write(tmp_path)
    assert len(list((tmp_path / "models").iterdir())) == 2
    assert plan.items[0].file == plan.items[1].file


def test_a_program_comes_back_as_it_was_written(tmp_path):
    plan = write(tmp_path, models=(*MODELS, PROGRAM))
    assert read_plan(tmp_path) == plan
    program = plan.items[-1]
    assert [(part.name, part.runs) for part in program.parts] == [("encoder", 1), ("step", 12)]
    assert program.parts[1].file == plan.items[0].file
    assert len(list((tmp_path / "models").iterdir())) == 3


def test_a_plan_without_programs_says_nothing_of_them(tmp_path):
    write(tmp_path)
    items = json.loads((tmp_path / "plan.json").read_text())["items"]
    assert all(set(item) == {"key", "role", "file"} for item in items)


@pytest.mark.parametrize(
    "change",
    [{"runs": 0}, {"runs": 2.5}, {"runs": True}, {"name": "../x"}, {"name": "encoder"}, {"file": "../../etc/passwd"}],
)
def test_a_program_with_a_part_that_is_none_is_refused(tmp_path, change):
    write(tmp_path, models=(PROGRAM,))
    content = json.loads((tmp_path / "plan.json").read_text())
    content["items"][0]["parts"][1].update(change)
    (tmp_path / "plan.json").write_text(json.dumps(content))
    with pytest.raises(PlanDamaged, match="expected"):
        read_plan(tmp_path)


def test_a_plan_of_the_version_before_is_refused_with_what_to_do(tmp_path):
    write(tmp_path)
    content = json.loads((tmp_path / "plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps(dict(content, version=2)))
    with pytest.raises(PlanDamaged, match=r"found gnomon\.plan version 2.*remove the folder to measure anew"):
        read_plan(tmp_path)


def test_models_may_come_from_a_generator(tmp_path):
    assert write(tmp_path, models=(model for model in MODELS)) == read_plan(tmp_path)


def test_writing_the_same_plan_again_changes_nothing(tmp_path):
    assert write(tmp_path) == write(tmp_path)


def test_a_folder_with_another_plan_is_left_alone(tmp_path):
    plan = write(tmp_path)
    with pytest.raises(PlanMismatch, match="another plan"):
        write(tmp_path, config=RunConfig(threads=2))
    assert read_plan(tmp_path) == plan


@pytest.mark.parametrize(
    "changes",
    [
        {"backend": "other"},
        {"config": RunConfig(threads=2)},
        {"policy": TimingPolicy(seed=1)},
        {"models": MODELS[1:]},
        {"models": (replace(MODELS[0], model=b"changed"), *MODELS[1:])},
        {"models": (*MODELS, PROGRAM)},
    ],
)
def test_whatever_changes_a_time_changes_the_digest(tmp_path, changes):
    assert write(tmp_path / "a").digest != write(tmp_path / "b", **changes).digest


def test_an_altered_model_is_refused(tmp_path):
    plan = write(tmp_path)
    (tmp_path / plan.items[0].file).write_bytes(b"tampered")
    with pytest.raises(PlanDamaged, match="SHA-256"):
        read_plan(tmp_path)


def test_a_missing_model_is_refused(tmp_path):
    plan = write(tmp_path)
    (tmp_path / plan.items[0].file).unlink()
    with pytest.raises(PlanDamaged, match="missing"):
        read_plan(tmp_path)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    plan = write(tmp_path / "plan")
    inside = tmp_path / "plan" / plan.items[0].file
    inside.rename(tmp_path / "outside.onnx")
    inside.symlink_to(tmp_path / "outside.onnx")
    with pytest.raises(PlanDamaged, match="out of the plan folder"):
        read_plan(tmp_path / "plan")


@pytest.mark.parametrize("file", ["../../etc/passwd", "/etc/passwd", "models/../plan.json", "models/short.onnx", 7])
def test_a_path_that_is_no_model_is_refused(tmp_path, file):
    write(tmp_path)
    content = json.loads((tmp_path / "plan.json").read_text())
    content["items"][0]["file"] = file
    (tmp_path / "plan.json").write_text(json.dumps(content))
    with pytest.raises(PlanDamaged, match="expected models/"):
        read_plan(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"schema": "gnomon.plan", "version": 99}', '{"schema": "other", "version": 1}']
)
def test_what_is_no_plan_is_refused(tmp_path, content):
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(PlanDamaged, match="not a usable timing plan"):
        read_plan(tmp_path)


def test_a_folder_without_a_plan_is_refused(tmp_path):
    with pytest.raises(PlanDamaged, match="does not exist"):
        read_plan(tmp_path)


def test_keys_occur_once(tmp_path):
    with pytest.raises(ValueError, match="more than once in the plan: conv"):
        write(tmp_path, models=(MODELS[0], MODELS[0]))


def test_anchors_alone_are_no_plan(tmp_path):
    with pytest.raises(ValueError, match="at least one layer or network"):
        write(tmp_path, models=(MODELS[1],))


def test_an_unknown_role_is_refused():
    with pytest.raises(ValueError, match="expected one of layer, network, anchor"):
        PlanItem("key", f"models/{'0' * 64}.onnx", "graph")


keys = st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True)


runs = st.lists(st.integers(1, 99), max_size=3)


@settings(deadline=None)
@given(keys, runs, st.integers(1, 64), st.integers(0, 2**32))
def test_any_plan_survives_json(keys, runs, threads, seed):
    files = [f"models/{number:064x}.onnx" for number in range(max(len(keys), len(runs)))]
    parts = tuple(PlanPart(f"part{number}", files[number], times) for number, times in enumerate(runs))
    items = tuple(PlanItem(key, file, "layer") for key, file in zip(keys[1:], files))
    items += (PlanItem(keys[0], "" if parts else files[0], "network", parts),)
    plan = TimingPlan("fake", RunConfig(threads=threads), TimingPolicy(seed=seed), items)
    again = TimingPlan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert again.digest == plan.digest
