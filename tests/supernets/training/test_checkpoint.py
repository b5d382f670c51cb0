"""A disk that takes no more is an error of the operating system, whatever torch and safetensors make of it."""

import errno
import io
from types import SimpleNamespace

import pytest
import torch

from gnomon.supernets.checkpoints import own_files
from gnomon.supernets.training import checkpoint

WEIGHTS = SimpleNamespace(state_dict=lambda: {"weight": torch.ones(10_000)})


class Filling(io.BytesIO):
    """A file on a disk that has room for a part of it."""

    def write(self, content):
        if self.tell() + len(content) > 50_000:
            super().write(content[:1_000])
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(content)


def test_a_checkpoint_on_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "replacing", lambda path: Filling())
    pupils = checkpoint.Pupils(WEIGHTS, WEIGHTS, WEIGHTS)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(tmp_path / "c.pt", {}, pupils, checkpoint.Position())


def test_a_checkpoint_is_whole_where_there_is_room(tmp_path):
    pupils = checkpoint.Pupils(WEIGHTS, WEIGHTS, WEIGHTS)
    checkpoint.save(tmp_path / "c.pt", {"seed": 1}, pupils, checkpoint.Position())
    kept = torch.load(tmp_path / "c.pt", weights_only=True)
    assert kept["origin"] == {"seed": 1}
    assert torch.equal(kept["network"]["weight"], torch.ones(10_000))


def test_weights_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("gnomon.supernets.checkpoints.statistics.named_statistics", lambda network: {})
    with pytest.raises(OSError, match=r"cannot be written.*directory"):
        own_files.save_weights(WEIGHTS, tmp_path / "absent" / "w.safetensors")
