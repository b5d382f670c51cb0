"""The commands of the report, read by the real command line: they ask for what the run or the profile was made with."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import typer

import gnomon
from gnomon.cli.main import app, run
from gnomon.cli.options.from_settings import given
from gnomon.lut.profile_file.schema import ProfileRefresh, ProfileSource
from gnomon.reports.html.content.provenance import origin_of_profile, origin_of_run
from gnomon.reports.html.content.sources import with_profiles
from gnomon.search.errors import RunDamaged
from gnomon.search.runs.files.call import Call, write_call
from gnomon.settings import PROFILE, SEARCH, WORKERS

SHA256 = "5" * 64


def parsed(command):
    """Read a command as `gnomon` does, and return the context of its verb; unknown words are an error."""
    _, *words = shlex.split(command)
    verb = typer.main.get_command(app)
    while hasattr(verb, "commands"):
        name, *words = words
        verb = verb.commands[name]
    return verb.make_context(verb.name, words)


def asked_of(run):
    return parsed(origin_of_run(with_profiles(run, ())).command)


@pytest.fixture
def cheap_run(tmp_path):
    config = gnomon.SearchConfig(
        space="fashion_mnist",
        objectives=("params", "macs"),
        tactic="random",
        budget=3,
        constraints=("macs<=9M", "params<=3M"),
        stop_after_s=600.0,
        seed=7,
    )
    return gnomon.run_search(config, tmp_path / "run")


def test_a_search_is_asked_for_as_it_was(cheap_run):
    context = asked_of(cheap_run)
    settings = given(context, SEARCH, context.params)
    assert gnomon.SearchConfig(space=context.params["space"], **settings) == cheap_run.config
    assert context.params["out"] == cheap_run.folder
    for name in ("checkpoint", "data", "start_from", "timeout", *WORKERS):
        assert context.get_parameter_source(name).name == "DEFAULT", name


def test_a_search_of_profiles_names_them(reported_run, profile):
    (named,) = asked_of(reported_run).params["profile"]
    assert gnomon.load_profile(named).digest == profile.digest


def test_a_search_of_several_deployments_names_each(other, profile, tmp_path):
    config = gnomon.SearchConfig(space="fashion_mnist", objectives=("macs", "latency"), tactic="random", budget=2)
    given = [gnomon.load_profile(other), profile]
    joint = gnomon.run_search(config, tmp_path / "joint", deployments=given)
    named = asked_of(joint).params["profile"]
    assert [gnomon.load_profile(name).digest for name in named] == [one.digest for one in given]


def test_what_makes_no_difference_to_the_run_is_asked_for_too(cheap_run, tmp_path):
    more = {"checkpoint": "my weights.safetensors", "data": "images", "isolate": True, "timeout_s": 9.5}
    other = gnomon.load_run(cheap_run.folder)
    started = gnomon.run_search(cheap_run.config, tmp_path / "second", start_from=other, **more)
    params = asked_of(started).params
    assert params["checkpoint"] == Path("my weights.safetensors")
    assert params["data"] == Path("images")
    assert params["start_from"] == cheap_run.folder
    assert params["isolate"] is True
    assert params["timeout"] == 9.5
    assert params["executor"] == "local"


def test_workers_are_asked_for(cheap_run):
    write_call(cheap_run.folder, Call(executor="ray://head:10001", workers=4, worker_gpus=0.5))
    context = asked_of(cheap_run)
    asked = {name: context.params[name] for name in WORKERS}
    assert asked == {"executor": "ray://head:10001", "workers": 4, "worker_cpus": 1.0, "worker_gpus": 0.5}


def test_a_run_that_does_not_say_how_it_was_called_names_what_it_knows(cheap_run, tmp_path):
    started = gnomon.run_search(cheap_run.config, tmp_path / "second", start_from=cheap_run, data="images")
    (started.folder / "call.json").unlink()
    params = asked_of(started).params
    assert params["data"] == Path("images")
    assert params["start_from"] == Path("run")
    assert params["checkpoint"] is None


def test_a_damaged_call_is_refused(cheap_run):
    (cheap_run.folder / "call.json").write_text('{"schema": "gnomon.call", "isolate": "rm -rf"}')
    with pytest.raises(RunDamaged, match=r"call\.json does not say how the search was called: isolate"):
        origin_of_run(with_profiles(cheap_run, ()))


def changed(profile, **fields):
    return replace(profile, header=profile.header.model_copy(update=fields))


def test_a_measured_profile_is_measured(profile):
    two = profile.header.config.model_copy(update={"threads": 2, "precision": "int8"})
    context = parsed(origin_of_profile(changed(profile, config=two)).command)
    asked = given(context, PROFILE, context.params)
    assert asked == {"threads": 2, "precision": "int8"} | (
        {} if len(profile.networks) == PROFILE["networks"].default else {"networks": len(profile.networks)}
    )
    assert context.params["space"] == profile.header.space


def test_an_imported_profile_is_imported_to_the_same_latencies(profile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gnomon.lut.write_table(profile, "their table.csv")
    assert run(["lut", "import", "their table.csv", "--out", "imported.jsonl"]) == 0
    imported = gnomon.load_profile("imported.jsonl")
    origin = origin_of_profile(imported)
    assert any(label == "imported from" and "their table.csv, sha256" in said for label, said in origin.fields)
    Path("imported.jsonl").unlink()
    assert run(shlex.split(origin.command)[1:]) == 0
    again = gnomon.load_profile("imported.jsonl")
    latencies = [{key: one.value_us for key, one in p.table.measurements.items()} for p in (imported, again)]
    assert latencies[0] == latencies[1]
    assert again.header.source == imported.header.source


def test_a_merged_profile_says_of_what_and_is_not_measured(profile):
    origin = origin_of_profile(changed(profile, source=ProfileSource(name="2 machines: a, b")))
    assert ("merged from", "2 machines: a, b") in origin.fields
    assert origin.command == ""


def test_a_transferred_profile_names_the_one_it_corrects(profile):
    source = ProfileSource(kind="transferred", name="other", sha256=SHA256)
    context = parsed(origin_of_profile(changed(profile, source=source)).command)
    assert context.params["source"] == "other.jsonl"
    assert context.params["samples"] == len(profile.networks)


def test_a_rescaled_profile_names_the_one_it_was_made_of(profile):
    rescaled = ProfileRefresh(
        name="before",
        sha256=SHA256,
        created="2026-01-01",
        factor=1.1,
        ratio=1.1,
        low=1.05,
        high=1.15,
        models=20,
        processes=2,
    )
    context = parsed(origin_of_profile(changed(profile, refreshed=rescaled)).command)
    assert context.params["refresh"] == "before.jsonl"
