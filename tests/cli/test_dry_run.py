"""What a long verb would cost, before it costs it."""

import sys

import pytest

from gnomon.profilers import BackendUnavailable

SETTINGS = ("--objectives", "accuracy,macs", "--tactic", "random", "--population", "3")


@pytest.fixture(scope="module")
def run(tmp_path_factory, of_few_images):
    import gnomon

    folder = tmp_path_factory.mktemp("dry") / "run"
    config = gnomon.SearchConfig(
        space="fashion_mnist", objectives=("accuracy", "macs"), tactic="random", population=3, budget=3
    )
    with of_few_images():
        gnomon.run_search(config, folder)
    return folder


@pytest.mark.slow
def test_a_profile_says_how_many_models_and_minutes(gnomon, tmp_path):
    outcome = gnomon("profile", "fashion_mnist", "--dry-run", "--time-cap", "2m", "--out", tmp_path / "p.jsonl")
    assert outcome.code == 0, outcome.err
    assert "154 layers and 30 whole networks" in outcome.out
    assert "to 2 minutes of measuring" in outcome.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_search_validates_both_ends_to_say_what_its_budget_takes(gnomon, tmp_path, few_images):
    outcome = gnomon(
        "search", "--objectives", "accuracy,macs", "--budget", "2k", "--dry-run", "--out", tmp_path / "run"
    )
    assert outcome.code == 0, outcome.err
    assert "as just measured on 250 examples" in outcome.out
    assert "2000 validations, one after the other" in outcome.out
    assert "disk     about 14 MiB" in outcome.out
    assert list(tmp_path.iterdir()) == []


def test_a_search_that_runs_no_network_says_so(gnomon, tmp_path):
    outcome = gnomon("search", "--objectives", "macs,params", "--dry-run", "--out", tmp_path / "run")
    assert outcome.code == 0, outcome.err
    assert "no objective needs the super-network" in outcome.out


@pytest.mark.slow
def test_what_goes_on_from_a_run_costs_what_its_validations_did(gnomon, run, tmp_path):
    before = sorted(path.name for path in run.iterdir())
    more = gnomon("search", "--budget", "10", *SETTINGS, "--dry-run", "--out", run)
    assert "7 validations at the" in more.out, more.err
    assert "validations at the" in gnomon("finish", run, "--controls", "0", "--dry-run").out
    exported = gnomon("export", run, "--dry-run", "--out", tmp_path / "exported")
    assert "picked by knee" in exported.out, exported.err
    assert "2 validations at the" in exported.out
    assert not (tmp_path / "exported").exists()
    assert sorted(path.name for path in run.iterdir()) == before


@pytest.mark.slow
def test_a_demo_says_its_parts_and_minutes_and_keeps_what_is_there(gnomon, tmp_path, few_images):
    demo = tmp_path / "demo"
    outcome = gnomon("demo", "--out", demo, "--dry-run")
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("154 layers and 24 whole networks") == 2
    assert outcome.out.count("\n== ") == 5
    assert "until the search is done it takes" in outcome.out
    assert not demo.exists()
    demo.mkdir()
    (demo / "onnxruntime.jsonl").write_text("kept")
    assert "onnxruntime.jsonl was measured by an earlier demo" in gnomon("demo", "--out", demo, "--dry-run").out
    refused = gnomon("demo", "--out", demo, "--dry-run", "--force")
    assert (refused.code, "onnxruntime.jsonl is not a" in refused.err) == (2, True), refused.err
    assert (demo / "onnxruntime.jsonl").read_text() == "kept"


@pytest.mark.slow
def test_an_evaluation_says_what_each_network_takes(gnomon, few_images):
    outcome = gnomon("evaluate", "fashion_mnist", "--arch", "random:40", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "40 validations, one after the other" in outcome.out


@pytest.fixture
def models(tmp_path):
    from gnomon.profilers.testing import affine_model

    (tmp_path / "models").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "models" / f"{name}.onnx").write_bytes(affine_model())
    return tmp_path / "models"


def test_building_engines_costs_what_the_ends_took(gnomon, models, tmp_path):
    from gnomon.profilers.runtimes.registry import load_builder

    try:
        load_builder("tensorrt_rtx")
    except BackendUnavailable as error:
        pytest.skip(str(error))
    outcome = gnomon("build", models, "--target", "sm86", "--out", tmp_path / "out", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "for a and " in outcome.out
    assert "for c, as just built" in outcome.out
    assert "3 builds, one after the other" in outcome.out
    assert "disk     less than 1 MiB" in outcome.out
    assert not (tmp_path / "out").exists()


def test_a_spread_of_builds_costs_every_build_and_its_timing(gnomon, models):
    outcome = gnomon("build", models, "--spread", "5", "--backend", "onnxruntime", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "15 builds, one after the other" in outcome.out


def test_a_data_set_says_what_it_downloads_and_where_to(gnomon, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    outcome = gnomon("data", "prepare", "movie-reviews", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "download 13 MiB" in outcome.out
    assert f"folder   {tmp_path / 'gnomon' / 'data' / 'movie-reviews'}" in outcome.out
    assert "disk     about 33 MiB" in outcome.out
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "gnomon" / "data" / "movie-reviews").mkdir(parents=True)
    assert "nothing is downloaded" in gnomon("data", "prepare", "movie-reviews", "--dry-run").out
    assert "did you mean 'movie-reviews'" in gnomon("data", "prepare", "movie-review", "--dry-run").err


def test_kernels_say_how_many_networks_and_minutes(gnomon, tmp_path):
    outcome = gnomon("profile", "--kernels", "--time-cap", "3m", "--dry-run", "--out", tmp_path / "k.jsonl")
    assert outcome.code == 0, outcome.err
    assert "33 sampled networks" in outcome.out
    assert "time     3.0 min of measuring at most" in outcome.out
    assert list(tmp_path.iterdir()) == []


BROKEN = "raise RuntimeError('out of order')\n"
QUICK = ("--objectives", "macs,params", "--tactic", "random", "--budget", "4")


@pytest.fixture
def refused(gnomon, tmp_path, monkeypatch):
    """Return a function that holds that a verb's dry run is refused, and writes nothing, as the verb itself is."""
    monkeypatch.chdir(tmp_path)

    def judge(*arguments, code=2):
        before = sorted(tmp_path.rglob("*"))
        dry = gnomon(*arguments, "--dry-run")
        assert sorted(tmp_path.rglob("*")) == before
        real = gnomon(*arguments)
        assert (dry.code, real.code) == (code, code), (dry.err, real.err)
        assert dry.err.splitlines()[-1] == real.err.splitlines()[-1]
        return dry.err

    return judge


@pytest.mark.slow
@pytest.mark.parametrize("kernels", [(), ("--kernels",)])
def test_a_backend_that_cannot_be_used_is_refused(refused, install_backend, monkeypatch, kernels):
    assert "out of order" in refused("profile", *kernels, "--backend", install_backend("broken", BROKEN), code=3)
    assert "Did you mean" in refused("profile", *kernels, "--backend", "onnxruntim", code=3)

    def absent(name):
        raise BackendUnavailable(f"{name} is not here", install_command="pip install it")

    monkeypatch.setattr("gnomon.profilers.runtimes.availability.load_backend", absent)
    assert "onnxruntime is not here" in refused("profile", *kernels, code=3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("profile", "--networks", "10"),
        ("profile", "--kernels"),
        ("bundle", "create", "--networks", "10"),
        ("bundle", "create", "--kernels"),
        ("train", "fashion_mnist"),
        ("search", *QUICK),
    ],
)
def test_an_output_that_is_in_the_way_is_refused(refused, tmp_path, arguments):
    (tmp_path / "thesis.txt").write_text("years")
    assert "thesis.txt" in refused(*arguments, "--out", "thesis.txt")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "part").write_text("years")
    refused(*arguments, "--out", "thesis")
    refused(*arguments, "--out", "thesis.txt/below", "--force")


def test_a_profile_whose_folder_holds_something_else_is_refused(refused, tmp_path):
    (tmp_path / "p.jsonl.building").mkdir()
    (tmp_path / "p.jsonl.building" / "thesis.txt").write_text("years")
    assert "thesis.txt" in refused("profile", "--networks", "10", "--out", "p.jsonl")


@pytest.mark.slow
def test_a_search_that_cannot_go_on_is_refused(refused, gnomon):
    assert gnomon("search", *QUICK, "--out", "run").code == 0
    assert "holds another run" in refused("search", *QUICK, "--seed", 7, "--out", "run")
    assert "has spent 4" in refused("search", *QUICK[:-1], 3, "--out", "run")
    assert "tactic" in refused("search", *QUICK, "--tactic", "nosuch", "--out", "other")
    assert "nosuch" in refused("search", *QUICK, "--track", "nosuch", "--out", "other")
    refused("search", *QUICK, "--from", "nosuch", "--out", "other")
    refused("search", *QUICK, "--objectives", "macs,latency", "--out", "other")
    assert "one worker" in refused("search", *QUICK, "--workers", 2, "--out", "other")


@pytest.mark.slow
def test_a_search_on_workers_that_cannot_be_had_is_refused(refused, monkeypatch):
    pytest.importorskip("ray")
    unreachable = ("search", *QUICK, "--executor", "ray://127.0.0.1:1", "--out")
    assert "cannot join the Ray cluster at 127.0.0.1:1" in refused(*unreachable, "one", code=3)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "pip install 'ray>=" in refused("search", *QUICK, "--executor", "ray", "--out", "two", code=3)


@pytest.mark.slow
def test_an_export_and_a_final_front_that_would_be_refused_are(refused, gnomon, run, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "part").write_text("years")
    assert "thesis" in refused("export", run, "--out", "thesis", "--force")
    refused("export", run, "--out", "new", "--pick", "nosuch")
    refused("export", run, "--out", "new", "--period", "5ms")
    refused("export", run, "--out", "new", "--checkpoint", "nosuch.safetensors")
    refused("finish", run, "--period", "5ms")
    refused("finish", run, "--checkpoint", "nosuch.safetensors")


def test_a_set_that_cannot_be_kept_is_refused(refused, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "is a file" in refused("data", "prepare", "movie-reviews")
