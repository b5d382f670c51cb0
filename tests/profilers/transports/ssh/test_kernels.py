"""Kernel profiles and predictions of a device over SSH: its own runtime is asked for the graph."""

import numpy as np
import pytest

from gnomon.lut import ProfileMismatch
from gnomon.lut.kernels.graph.named import named
from gnomon.lut.kernels.measuring.build import KernelRequest, build_kernel_profile
from gnomon.lut.kernels.measuring.timing import time_kernels
from gnomon.lut.kernels.predict import graph_for, predict_file, predict_model
from gnomon.lut.kernels.sample import sequences
from gnomon.profilers import RunConfig, TimingPolicy
from gnomon.profilers.errors import BackendUnavailable, DeviceUnfit, ModelRejected
from gnomon.profilers.testing import affine_model
from gnomon.profilers.transports.ssh.remote import RemoteWorker

pytestmark = pytest.mark.slow

POLICY = TimingPolicy(min_passes=2, max_passes=2, clean_blocks=0, time_cap_s=5.0, processes=1, network_visits=1)
SMALL = {"small": named(sequences.recurrent(np.random.default_rng(1)))}


def test_a_profile_and_a_prediction_are_of_the_device(board, tmp_path):
    pytest.importorskip("onnxruntime")
    model = tmp_path / "model.onnx"
    model.write_bytes(affine_model((8, 16)))
    request = KernelRequest("onnxruntime", networks=0, policy=POLICY, further=SMALL)
    with board.open() as device:
        profile = build_kernel_profile(request, tmp_path / "k.jsonl", device=device)
        asked, graph = graph_for(profile, model, {}, device)
        timed_now, failed = time_kernels(profile, graph, device=device, policy=POLICY)
    found = predict_model(profile, asked, graph, timed_now=timed_now)
    assert profile.kernels
    assert failed == {}
    assert {line.source for line in found.lines} == {"timed now"}
    assert found.graph.kernels.keys() == {line.key for line in found.lines}
    assert any("asking onnxruntime on" in text for text in board.said)
    assert not list(board.plans.glob("*/plan"))


def test_another_board_is_no_device_of_the_profile(board, tmp_path):
    pytest.importorskip("onnxruntime")
    model = tmp_path / "model.onnx"
    model.write_bytes(affine_model())
    request = KernelRequest("onnxruntime", networks=0, policy=POLICY, further=SMALL)
    profile = build_kernel_profile(request, tmp_path / "k.jsonl")
    (board.folder / "sitecustomize.py").write_text("import os\nos.cpu_count = lambda: 64\n")
    board.be(f"export PYTHONPATH={board.folder}")
    with board.open() as device, pytest.raises(ProfileMismatch, match="here 64"):
        predict_file(profile, model, device=device)


def test_errors_of_the_device_are_raised_as_themselves(board):
    pytest.importorskip("onnxruntime")
    with board.open() as device:
        with pytest.raises(ModelRejected, match="On the device"):
            device.fused_graphs([b"this is not ONNX"], backend="onnxruntime", config=RunConfig())
        with pytest.raises(BackendUnavailable, match="On the device"):
            device.fused_graphs([affine_model()], backend="onnxruntime:xnnpack", config=RunConfig())


def test_a_device_that_tells_nonsense_is_unfit(board, monkeypatch):
    import hashlib

    content = b"PK nonsense"
    told = {"sha256": hashlib.sha256(content).hexdigest()}
    monkeypatch.setattr(RemoteWorker, "ask", lambda worker, verb, *words, stdin=(): (told, content))
    with board.open() as device, pytest.raises(DeviceUnfit, match="no usable graphs"):
        device.fused_graphs([affine_model()], backend="onnxruntime", config=RunConfig())
