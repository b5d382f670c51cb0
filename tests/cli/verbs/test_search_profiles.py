"""`gnomon search` with several profiles, a region, an algorithm; as a user types them."""

import json
import shutil

import pytest

from gnomon import load_profile
from gnomon.api import load_run, run_search
from gnomon.lut import shipped_profiles
from gnomon.lut.profile_file.store import SHIPPED
from gnomon.search import SearchConfig
from gnomon.search import search_in_context as measure
from gnomon.search.errors import InvalidConfig
from gnomon.search.testing.contracts import fake_context

PROFILES = SHIPPED
SMALL = ("--tactic", "random", "--budget", 6, "--population", 3)


@pytest.fixture(scope="session")
def two_profiles():
    names = [name for name in shipped_profiles() if name.startswith("fashion_mnist/")]
    return next(n for n in names if ".onnxruntime." in n), next(n for n in names if ".openvino." in n)


@pytest.mark.slow
def test_several_profiles_are_objectives_and_provenance(gnomon, tmp_path, two_profiles):
    ort, vino = two_profiles
    arguments = ["search", "--out", tmp_path / "run", "--profile", f"ort={ort}", "--profile", f"vino-cpu={vino}"]
    arguments += ["--objectives", "macs,latency@ort,latency@vino-cpu", *SMALL]
    outcome = gnomon(*arguments)
    assert outcome.code == 0
    assert f"latency@ort from {load_profile(ort).name}" in outcome.out
    assert f"latency@vino-cpu from {load_profile(vino).name}" in outcome.out
    provenance = json.loads((tmp_path / "run" / "run.json").read_text())["provenance"]
    assert provenance["profile"] is None
    assert {name: one["sha256"] for name, one in provenance["profiles"].items()} == {
        "ort": load_profile(ort).digest,
        "vino-cpu": load_profile(vino).digest,
    }
    swapped = [str(a).replace("ort=", "X=").replace("vino-cpu=", "ort=").replace("X=", "vino-cpu=") for a in arguments]
    refused = gnomon(*swapped)
    assert refused.code == 2
    assert "provenance.profiles.ort.sha256" in refused.err


@pytest.mark.slow
def test_a_constraint_on_a_profile_that_is_not_optimised(gnomon, tmp_path, two_profiles):
    ort, vino = two_profiles
    outcome = gnomon(
        "search", "--out", tmp_path / "run", "--profile", ort, "--profile", f"vino={vino}", "--objectives",
        "macs,latency", "--constraint", "latency@vino<=1ns", "--constraint", "params<=1G", *SMALL,
    )  # fmt: skip
    assert outcome.code == 2
    assert "none of 6 measured architectures keeps latency@vino<=1ns, params<=1G; the nearest is" in outcome.err


@pytest.mark.parametrize(
    ("profiles", "objectives", "said"),
    [
        (["a={0}", "a={1}"], "macs,latency@a", "both have the name 'a'"),
        (["{0}", "{0}"], "macs,latency", "two profiles are of onnxruntime fp32 t1"),
        (["{0}", "ofa_mobilenetv3/amd-epyc-2c.openvino.fp32.b1.t1"], "macs,latency", "the space 'fashion_mnist'"),
        (["{0}", "{1}", "a={0}"], "macs,latency", "have no name, and a has one; name each, as pi5=FILE"),
        (["a={0}"], "macs,latency", "given are of latency@a; did you mean 'latency@a'"),
        (["a={0}"], "macs,latency@b", "objective 'latency@b' needs a hardware profile, and the profiles given are of"),
        ([], "macs,latency@a", "--profile a=FILE"),
        (["a={0}"], "macs@a,latency@a", "'macs' has no instances"),
        (["a=missing.jsonl"], "macs,latency@a", "missing.jsonl"),
    ],
)
def test_bad_profiles(gnomon, tmp_path, two_profiles, profiles, objectives, said):
    options = [part for text in profiles for part in ("--profile", text.format(*two_profiles))]
    outcome = gnomon("search", "--out", tmp_path / "run", *options, "--objectives", objectives, *SMALL)
    assert outcome.code == 2
    assert said in outcome.err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_of_several_runtimes_each_network_runs_on_the_fastest(gnomon, tmp_path, two_profiles):
    folder, loaded = tmp_path / "run", [load_profile(name) for name in two_profiles]
    options = [part for name in two_profiles for part in ("--profile", name)]
    outcome = gnomon("search", "--out", folder, *options, "--objectives", "macs,latency", *SMALL)
    assert outcome.code == 0
    assert "runs on" in outcome.out
    for member in gnomon("pareto", folder, "--json").json["front"]:
        each_us = [float(one.latency.value_us([member["indices"]])[0]) for one in loaded]
        assert member["latency"] == pytest.approx(min(each_us))
        assert member["deployment"]["sha256"] == loaded[each_us.index(min(each_us))].digest


def at_int8(name, factor, path):
    """Write a profile as if it were of int8, its networks so many times as slow."""
    records = [json.loads(line) for line in (PROFILES / f"{name}.jsonl").read_text().splitlines()]
    records[0]["config"]["precision"] = "int8"
    for record in records:
        if "block_us" in record:
            record["block_us"] = [[us * factor for us in visit] for visit in record["block_us"]]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.slow
def test_precision_is_searched_where_it_can_gain_and_else_left_out(gnomon, tmp_path, two_profiles):
    for factor, said in ((0.5, "onnxruntime int8 t1"), (2.0, "left out onnxruntime int8 t1: for no network faster")):
        int8 = at_int8(two_profiles[0], factor, tmp_path / f"int8.{factor}.jsonl")
        folder = tmp_path / str(factor)
        arguments = ("--profile", two_profiles[0], "--profile", int8, "--objectives", "macs,latency", *SMALL)
        outcome = gnomon("search", "--out", folder, *arguments)
        assert outcome.code == 0
        assert said in outcome.out
    assert load_run(tmp_path / "0.5").config.space == "fashion_mnist:precision=fp32+int8"
    assert load_run(tmp_path / "2.0").config.space == "fashion_mnist"


def test_a_search_is_of_the_profiles_space_unless_another_one_is_asked_for(gnomon, tmp_path):
    profile = "ofa_mobilenetv3/amd-epyc-2c.openvino.fp32.b1.t1"
    arguments = ("--profile", profile, "--objectives", "macs,latency", *SMALL)
    assert gnomon("search", "--out", tmp_path / "run", *arguments).code == 0
    assert load_run(tmp_path / "run").config.space == "ofa_mobilenetv3"


def test_a_file_with_an_equals_sign_is_a_file(gnomon, tmp_path, two_profiles, monkeypatch):
    shutil.copy(PROFILES / f"{two_profiles[0]}.jsonl", tmp_path / "a=b.jsonl")
    monkeypatch.chdir(tmp_path)
    arguments = ("--profile", "a=b.jsonl", "--objectives", "macs,latency", *SMALL)
    assert gnomon("search", "--out", tmp_path / "run", *arguments).code == 0


@pytest.mark.parametrize("name", ["pi 5", "a,b", "x<=1", "a@b"])
def test_a_profile_is_not_called_what_no_constraint_could_say(tmp_path, two_profiles, name):
    config = SearchConfig(space="fashion_mnist", objectives=("macs",), tactic="random", budget=3, population=3)
    with pytest.raises(InvalidConfig, match="names are letters"):
        run_search(config, tmp_path / "run", devices={name: load_profile(two_profiles[0])})


def test_the_region_is_marked(gnomon, tmp_path):
    config = SearchConfig(space="fashion_mnist", tactic="random", budget=40, region=("latency<=700us",))
    measure(fake_context(), config, tmp_path / "run", provenance={})
    front = gnomon("pareto", tmp_path / "run", "--json").json["front"]
    assert [member["in_region"] for member in front] == [member["latency"] <= 700 for member in front]
    outside = sum(not member["in_region"] for member in front)
    assert 0 < outside < len(front)
    printed = gnomon("pareto", tmp_path / "run").out
    assert printed.count("outside") == outside
    assert f"region   latency<=700us: {len(front) - outside} of the front inside" in printed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--region", "latency<=2ms", "--region", "latency>=3ms"), "leaves nothing"),
        (("--algorithm", "cmaes"), "algorithm='cmaes' takes one objective"),
        (("--algorithm", "nsga"), "did you mean 'nsga2'"),
        (("--constraint", "params<=3X"), "the unit 'X'"),
    ],
)
def test_bad_options(gnomon, tmp_path, two_profiles, options, said):
    outcome = gnomon("search", "--profile", two_profiles[0], "--out", tmp_path / "run", *options)
    assert outcome.code == 2
    assert said in outcome.err
