import doctest
import hashlib
import json
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

import gnomon
from gnomon.cli.main import run
from gnomon.outputs import OutputUnusable
from gnomon.supernets import DataUnavailable, SupernetError
from gnomon.supernets.checkpoints.own_files import weights_of
from gnomon.supernets.supernet import load_supernet
from gnomon.supernets.tasks import fashion_mnist
from gnomon.supernets.training.estimate import estimate_training
from gnomon.supernets.training.recipe import Phase, Recipe
from gnomon.supernets.training.recipes import load_recipe
from gnomon.supernets.training.to_file import TrainingRequest, shortened, train_to_file
from gnomon.supernets.weight_files import made_weights, spaces_with_weights

TINY = Recipe(phases=(Phase(1, 0.004),), batch=128, random_subnets=0)

STOPPED = ("--epochs", "2", "--batch", "128")
HELD_OUT = 100  # images that an epoch is judged on, here and in the processes started from here
TRAIN = f"""
from gnomon.cli.main import main
from gnomon.supernets.tasks import fashion_mnist
fashion_mnist.HELD_OUT = {HELD_OUT}
main()
"""


@pytest.fixture(autouse=True, scope="module")
def few_held_out():
    """Judge every epoch of training on few images, which `small_data` has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fashion_mnist, "HELD_OUT", HELD_OUT)
        yield


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def train_command(*arguments):
    return [sys.executable, "-c", TRAIN, "train", "fashion_mnist", *map(str, arguments)]


def test_existing_weights_are_not_overwritten(tmp_path):
    out = tmp_path / "w.safetensors"
    out.write_bytes(b"precious")
    for force in (False, True):
        with pytest.raises(OutputUnusable, match="is not trained weights that Gnomon wrote"):
            train_to_file(TrainingRequest("fashion_mnist", tmp_path, out, recipe=TINY, force=force))
    assert out.read_bytes() == b"precious"


def test_the_example_of_the_library_call_runs(tmp_path, full_data, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fashion-mnist").symlink_to(full_data)
    (example,) = doctest.DocTestFinder(recurse=False).find(gnomon.train, "train", globs={"gnomon": gnomon})
    assert doctest.DocTestRunner().run(example).attempted == 3
    assert load_file(tmp_path / "short.safetensors")


def test_absent_data_names_the_command_that_gets_it(tmp_path, cache):
    with pytest.raises(DataUnavailable, match="gnomon data prepare"):
        train_to_file(TrainingRequest("fashion_mnist", None, tmp_path / "w.safetensors", recipe=TINY))


def test_a_given_folder_that_is_not_there_is_named(tmp_path, cache):
    request = TrainingRequest("fashion_mnist", tmp_path / "gone", tmp_path / "w.safetensors", recipe=TINY)
    with pytest.raises(DataUnavailable, match=r"the folder of the data, .*gone, does not exist") as raised:
        train_to_file(request)
    assert "prepare" not in str(raised.value)


def test_absent_parent_is_an_error_and_leaves_nothing(tmp_path, small_data):
    out = tmp_path / "w.safetensors"
    request = TrainingRequest("fashion_mnist", small_data, out, parent=tmp_path / "p.safetensors", recipe=TINY)
    with pytest.raises(SupernetError, match=r"p\.safetensors"):
        train_to_file(request)
    assert not list(tmp_path.glob("w.*"))


@pytest.mark.slow
def test_weights_go_to_the_cache_and_are_found_there(cache, small_data):
    out = train_to_file(TrainingRequest("fashion_mnist", small_data, recipe=TINY))
    assert out == made_weights("fashion_mnist")
    assert cache in out.parents
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (record["metric"], record["data"], record["parent"]) == ("accuracy", str(small_data), None)
    assert record["training_data"]["training_images"] == 256
    assert "fashion_mnist" in spaces_with_weights()


def test_made_weights_are_found_by_options_then_by_name(cache):
    for name in ("net", "net:classes=10"):
        made_weights(name).parent.mkdir(parents=True, exist_ok=True)
        made_weights(name).touch()
    assert weights_of("net:classes=10") == made_weights("net:classes=10") != made_weights("net")
    assert weights_of("net:classes=20") == weights_of("net") == made_weights("net")
    assert weights_of("another") is None
    assert weights_of("fashion_mnist") == weights_of("fashion_mnist:any=1"), "what ships comes first"


@pytest.mark.slow
def test_training_goes_on_from_given_weights(tmp_path, small_data):
    parent = train_to_file(TrainingRequest("fashion_mnist", small_data, tmp_path / "p.safetensors", recipe=TINY))
    still = Recipe(phases=(Phase(1, 0.0),), batch=128, random_subnets=0)
    child = train_to_file(TrainingRequest("fashion_mnist", small_data, tmp_path / "c.safetensors", parent, still))
    for name, tensor in load_file(parent).items():
        assert tensor.allclose(load_file(child)[name], atol=1e-7), name
    record = json.loads(child.with_suffix(".json").read_text())
    assert record["parent"]["sha256"] == load_supernet("fashion_mnist", checkpoint=parent).checkpoint_sha256


@pytest.fixture(scope="module")
def trained_at_once(tmp_path_factory, small_data):
    """The weights of a training that nothing stopped."""
    out = tmp_path_factory.mktemp("whole") / "whole.safetensors"
    assert run(["train", "fashion_mnist", *STOPPED, "--data", str(small_data), "--out", str(out)]) == 0
    return out.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_stopped_training_command_goes_on_to_the_same_weights(
    ending, tmp_path, small_data, trained_at_once, wait_until, send
):
    command = train_command(*STOPPED, "--data", small_data, "--out", tmp_path / "w.safetensors")
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / "w.safetensors.checkpoint"
    wait_until(checkpoint.exists, process)
    send(process, ending)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if ending == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in errors
    assert run(command[3:]) == 0
    record = json.loads((tmp_path / "w.json").read_text())
    assert [point["epoch"] for point in record["curve"]] == [0, 1]
    assert (tmp_path / "w.safetensors").read_bytes() == trained_at_once
    assert not checkpoint.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.json", "w.safetensors"]


@pytest.mark.slow
def test_the_state_of_a_training_that_was_killed_when_its_weights_were_there_is_removed(tmp_path, small_data, capsys):
    weights, checkpoint = tmp_path / "w.safetensors", tmp_path / "w.safetensors.checkpoint"
    command = ["train", "fashion_mnist", "--data", str(small_data), "--out", str(weights)]
    recipe = shortened(load_recipe("fashion_mnist").recipe(), 1)
    kept = []
    request = TrainingRequest("fashion_mnist", small_data, weights, recipe=recipe)
    train_to_file(request, on_epoch=lambda point: kept.append(torch.load(checkpoint, weights_only=True)))
    (finished,) = kept
    for state, is_left in ((finished | {"curve": []}, True), (finished, False)):  # the first is of another training
        torch.save(state, checkpoint)
        assert run(command) == 2
        assert "is there already" in capsys.readouterr().err
        assert checkpoint.exists() == is_left


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_trained(tmp_path, small_data):
    (tmp_path / "file").write_text("no folder")
    request = TrainingRequest("fashion_mnist", small_data, tmp_path / "file" / "w.safetensors")
    for begin in (train_to_file, estimate_training):
        with pytest.raises(OutputUnusable, match="file is a file"):
            begin(request)


@pytest.mark.slow
def test_space_without_a_recipe_is_a_usage_error(tmp_path):
    command = [sys.executable, "-m", "gnomon.cli", "train", "ofa_resnet50", "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "there is one for" in done.stderr
