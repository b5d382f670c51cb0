import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from gnomon.supernets import CheckpointMismatch, DataUnavailable, SupernetError, load_space
from gnomon.supernets.tasks.fashion_mnist import load
from gnomon.supernets.training.augmentation import erase, flip_and_shift
from gnomon.supernets.training.recipes import train_to_file
from gnomon.supernets.training.trainer import Phase, Recipe, schedule, train

TINY = Recipe(phases=(Phase(1, 0.004, 2, 10), Phase(1, 0.004, 1, 6)), batch=32, ema_decay=0.8)


def train_tiny(checkpoint, recipe=TINY, images=96):
    task = load(load_space("fashion_mnist"))
    data = task.validation.take(slice(images)), task.validation.take(slice(images, images + 32))
    return train(load_space("fashion_mnist"), *data, recipe=recipe, checkpoint=checkpoint, on_epoch=lambda point: None)


def test_training_lowers_the_loss(tmp_path):
    _, curve = train_tiny(tmp_path / "c", replace(TINY, phases=(Phase(6, 0.004, 1, 6),)))
    assert curve[-1].loss < curve[0].loss


def test_interrupted_training_ends_with_the_same_weights(tmp_path):
    whole, _ = train_tiny(tmp_path / "whole")

    class Stop(Exception):
        pass

    def stop(point):
        raise Stop

    task = load(load_space("fashion_mnist"))
    data = task.validation.take(slice(96)), task.validation.take(slice(96, 128))
    with pytest.raises(Stop):
        train(load_space("fashion_mnist"), *data, recipe=TINY, checkpoint=tmp_path / "cut", on_epoch=stop)
    resumed, curve = train_tiny(tmp_path / "cut")
    assert [point.epoch for point in curve] == [0, 1]
    for name, tensor in whole.state_dict().items():
        assert torch.allclose(resumed.state_dict()[name], tensor, atol=1e-6), name


def test_checkpoint_of_another_recipe_is_refused(tmp_path):
    train_tiny(tmp_path / "c")
    with pytest.raises(CheckpointMismatch, match="seed"):
        train_tiny(tmp_path / "c", replace(TINY, seed=2))


def test_existing_weights_are_not_overwritten(tmp_path):
    out = tmp_path / "w.safetensors"
    out.write_bytes(b"precious")
    with pytest.raises(SupernetError, match="--force"):
        train_to_file("fashion_mnist", tmp_path, out, recipe=TINY, force=False, on_epoch=print)
    assert out.read_bytes() == b"precious"


def test_absent_data_names_the_command_that_gets_it(tmp_path):
    out = tmp_path / "w.safetensors"
    with pytest.raises(DataUnavailable, match="gnomon data prepare"):
        train_to_file("fashion_mnist", tmp_path / "none", out, recipe=TINY, force=False, on_epoch=print)


def test_killed_training_command_leaves_a_loadable_checkpoint(tmp_path, full_data):
    command = [sys.executable, "-m", "gnomon.cli", "train", "fashion_mnist", "--epochs", "3", "--out", "w.safetensors"]
    command += ["--data", str(full_data)]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / "w.safetensors.checkpoint"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    record = json.loads((tmp_path / "w.json").read_text())
    assert [point["epoch"] for point in record["curve"]] == [0, 1, 2]
    assert not checkpoint.exists()


def test_schedule_rises_then_falls_to_zero():
    factors = [schedule(progress, 0.1) for progress in np.linspace(0, 1, 21)]
    assert factors[0] == 0
    assert max(factors) == 1
    assert factors[-1] == pytest.approx(0)


def test_shift_moves_by_at_most_its_pixels():
    images = torch.zeros(64, 1, 9, 9)
    images[:, 0, 4, 4] = 1
    moved = flip_and_shift(images, torch.Generator().manual_seed(0), pixels=2)
    _, _, rows, columns = moved.nonzero(as_tuple=True)
    assert len(rows) == 64
    assert {*rows.tolist()} == {*columns.tolist()} == {2, 3, 4, 5, 6}


def test_erase_blanks_squares_in_about_half_of_the_images():
    images = torch.ones(400, 1, 28, 28)
    touched = (erase(images, torch.Generator().manual_seed(0), size=10).sum((1, 2, 3)) < 784).double().mean()
    assert 0.35 < touched < 0.65
