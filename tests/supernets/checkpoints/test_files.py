"""What is read as a checkpoint, and what is refused: files are untrusted."""

import argparse
import os
import sys
import types
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from gnomon.supernets import CheckpointMismatch
from gnomon.supernets.checkpoints import read_tensors
from gnomon.supernets.checkpoints.published import Published, with_our_epsilon

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


class Hostile:
    """Would write a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def write_safetensors(path):
    save_file(TENSORS, path)


def write_zip(path):
    torch.save({"state_dict": TENSORS, "epoch": 3}, path)


def write_bare_pickle(path):
    torch.save({"state_dict": TENSORS}, path, _use_new_zipfile_serialization=False)


def write_parallel(path):
    torch.save({f"module.{name}": tensor for name, tensor in TENSORS.items()}, path)


@pytest.mark.parametrize("name", ["checkpoint", "checkpoint.txt", "checkpoint.safetensors", "checkpoint.pth"])
@pytest.mark.parametrize("write", [write_safetensors, write_zip, write_bare_pickle, write_parallel])
def test_content_tells_the_format_not_the_name(write, name, tmp_path):
    write(tmp_path / name)
    found = read_tensors(tmp_path / name)
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())


def test_a_safetensors_file_whose_length_looks_like_a_pickle_is_read_as_what_it_is(tmp_path):
    path = tmp_path / "file"
    for size in range(300, 640):
        save_file(TENSORS, path, metadata={"note": "x" * size})
        if path.read_bytes()[:2] == b"\x80\x02":
            break
    assert path.read_bytes()[:2] == b"\x80\x02"
    assert read_tensors(path).keys() == TENSORS.keys()


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path, is_zip):
    content = {"state_dict": {**TENSORS, "x": Hostile(tmp_path / "owned")}}
    torch.save(content, tmp_path / "hostile", _use_new_zipfile_serialization=is_zip)
    with pytest.raises(CheckpointMismatch, match=r"is refused: .*mkdir"):
        read_tensors(tmp_path / "hostile")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("score", [np.float64(76.5), np.float32(76.5), np.int64(76), np.bool_(True), 76.5, 76, None])
def test_numbers_beside_the_tensors_are_left_out(tmp_path, score, is_zip):
    zipped = {"_use_new_zipfile_serialization": is_zip}
    for content in ({**TENSORS, "best_acc": score}, {"state_dict": TENSORS, "best_acc": score, "epoch": np.int32(3)}):
        torch.save(content, tmp_path / "file", **zipped)
        assert read_tensors(tmp_path / "file").keys() == TENSORS.keys()


def test_a_number_as_numpy_1_pickles_it_is_left_out(tmp_path):
    torch.save({**TENSORS, "best_acc": np.float64(1)}, tmp_path / "file", _use_new_zipfile_serialization=False)
    content = (tmp_path / "file").read_bytes()
    assert b"numpy._core.multiarray\n" in content
    (tmp_path / "file").write_bytes(content.replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n"))
    assert read_tensors(tmp_path / "file").keys() == TENSORS.keys()


def test_the_settings_and_meters_of_a_trainer_are_dropped_unread(tmp_path, monkeypatch):
    meters = types.ModuleType("fairseq.meters")
    meters.AverageMeter = type("AverageMeter", (), {"__module__": "fairseq.meters"})
    for name, module in (("fairseq", types.ModuleType("fairseq")), ("fairseq.meters", meters)):
        monkeypatch.setitem(sys.modules, name, module)
    meter = meters.AverageMeter()
    meter.sum = np.float64(3)
    settings = argparse.Namespace(arch="transformersuper_wmt_en_de", seed=1)
    content = {"args": settings, "model": TENSORS, "extra_state": {"train_meters": {"train_loss": meter}}}
    torch.save(content, tmp_path / "file")
    assert read_tensors(tmp_path / "file").keys() == TENSORS.keys()


class Reduced:
    """Would call a function with arguments when unpickled."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "made",
    [
        lambda mark: np.array([1.0]),
        lambda mark: np.str_("word"),
        lambda mark: np.array([Hostile(mark)], dtype=object),
        lambda mark: Reduced(np.dtype, ("O", False, True)),
        lambda mark: Reduced(np.dtype, ({"names": ["a"], "formats": ["O"]},)),
        lambda mark: Reduced(type(np.dtype("f8")), ()),
        lambda mark: Reduced(np.float64(1).__reduce__()[0], (np.dtype("f8"), Hostile(mark))),
        lambda mark: Reduced(np.float64(1).__reduce__()[0], (np.dtype("f8"), b"123")),
        lambda mark: Reduced(argparse.Namespace, (), {"x": Hostile(mark)}),
        lambda mark: Reduced(argparse.ArgumentParser, ()),
    ],
)
def test_what_is_no_number_is_refused_and_runs_nothing(tmp_path, made):
    torch.save({"state_dict": TENSORS, "best": made(tmp_path / "owned")}, tmp_path / "hostile")
    with pytest.raises(CheckpointMismatch):
        read_tensors(tmp_path / "hostile")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"\x1f\x8b packed", b"12345678"])
def test_what_is_no_checkpoint_is_refused_by_its_first_bytes(tmp_path, content):
    (tmp_path / "page").write_bytes(content)
    with pytest.raises(CheckpointMismatch, match="is not a checkpoint: it starts with"):
        read_tensors(tmp_path / "page")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1, 2], "holds a list"),
        ({}, "holds a dict"),
        ({"epoch": 3}, "holds int under 'epoch'"),
        ({"state_dict": {"a": "word"}}, "holds str under 'a'"),
        ({3: torch.ones(1)}, "holds Tensor under 3"),
    ],
)
def test_a_torch_file_of_anything_but_tensors_by_name_is_refused(tmp_path, content, said):
    torch.save(content, tmp_path / "file")
    with pytest.raises(CheckpointMismatch, match=said):
        read_tensors(tmp_path / "file")


def test_a_folder_and_an_absent_file_cannot_be_read(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(CheckpointMismatch, match="cannot read the checkpoint"):
            read_tensors(path)


def test_a_zip_that_is_no_torch_file_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr("notes.txt", "no tensors")
    with pytest.raises(CheckpointMismatch, match="damaged torch file"):
        read_tensors(tmp_path / "archive")


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([write_safetensors, write_zip, write_bare_pickle]), st.floats(0, 0.999))
def test_a_file_cut_anywhere_is_refused(tmp_path_factory, write, share):
    path = tmp_path_factory.mktemp("cut") / "file"
    write(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointMismatch):
        read_tensors(path)


@given(st.sampled_from([1e-3, 1e-4, 1e-6]), st.floats(-3, 3))
def test_another_epsilon_moves_into_the_kernel(epsilon, log_size):
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 3, 5, 5))) * 10**log_size
    tensors = {"conv.weight": torch.ones(1, dtype=torch.float64), "conv.scale": torch.ones(3), "head.weight": x}
    ours = with_our_epsilon(tensors, epsilon)
    given_, moved = (
        torch.nn.functional.batch_norm(x * weight, None, None, training=True, eps=eps)
        for weight, eps in ((tensors["conv.weight"], epsilon), (ours["conv.weight"], 1e-5))
    )
    assert torch.allclose(given_, moved, rtol=1e-9, atol=1e-9)
    assert ours["head.weight"] is x  # what no batch norm follows stays


def test_half_precision_becomes_single():
    published = Published(files=(), our_name=lambda name: name)
    assert published.translated({"a": torch.ones(2, dtype=torch.float16)})["a"].dtype == torch.float32
