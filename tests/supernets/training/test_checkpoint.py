"""A disk that takes no more is an error of the operating system, whatever torch and safetensors make of it."""

import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gnomon.supernets.checkpoints import own_files
from gnomon.supernets.training import checkpoint

FULL = Path("/dev/full")
WEIGHTS = SimpleNamespace(state_dict=lambda: {"weight": torch.ones(10_000)})

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a disk that is always full")


def test_a_checkpoint_on_a_full_disk(tmp_path, monkeypatch):
    @contextmanager
    def on_a_full_disk(path):
        with FULL.open("wb", buffering=0) as file:
            yield file

    monkeypatch.setattr(checkpoint, "replacing", on_a_full_disk)
    pupils = checkpoint.Pupils(WEIGHTS, WEIGHTS, WEIGHTS)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(tmp_path / "c.pt", {}, pupils, checkpoint.Position())


def test_weights_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("gnomon.supernets.checkpoints.statistics.named_statistics", lambda network: {})
    with pytest.raises(OSError, match="cannot be written.*directory"):
        own_files.save_weights(WEIGHTS, tmp_path / "absent" / "w.safetensors")
