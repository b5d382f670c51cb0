import json
import subprocess
import sys

import numpy as np
import pytest

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.search.export.checks import LoadedPart
from gnomon.search.export.export import export_subnet
from gnomon.supernets import CheckpointMismatch, DataUnavailable
from gnomon.supernets.checkpoints.own_files import save_weights
from gnomon.supernets.data.pairs import SentencePairs, TranslationTask
from gnomon.supernets.evaluation.bleu import corpus_bleu, signature
from gnomon.supernets.evaluation.translator import SCRIPT, Translator
from gnomon.supernets.layers.kinds.source_embedding import TABLE


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_exported_models_translate_as_torch_does(translator, architectures, backend):
    loaded = load_backend(backend)
    for architecture in architectures:
        parts = [loaded.load(part.model, RunConfig()) for part in translator.models(architecture)]
        found = translator.answers_from([LoadedPart(part) for part in parts], "test")
        expected = translator.answers(architecture, "test")
        assert found.difference(expected) == 0
        assert translator.score(found, "test") == translator.evaluate(architecture, "test")


def test_answers_to_the_first_sentences_are_the_first_answers(translator, architectures):
    whole, first = (translator.answers(architectures[0], "test", n).arrays[0] for n in (None, 5))
    assert np.array_equal(whole[:5], first)
    assert translator.size("test") == len(whole) == 12


def test_a_share_is_the_same_for_every_sub_network_and_within_larger_ones(translator, architectures):
    ids = translator.translated(architectures[0], translator.split("validation"))
    assert translator.evaluate(architectures[0], share=1.0) == translator.bleu(ids, translator.split("validation"))
    assert translator.evaluate(architectures[0], share=0.5) == translator.evaluate(architectures[0], share=0.5)


def test_texts_are_translated_as_the_split_is(translator, architectures, pairs):
    ids = translator.answers(architectures[0], "test").arrays[0]
    assert translator.translate(architectures[0], pairs.sources) == [
        translator.task.vocabulary.decode(row) for row in ids
    ]
    assert len(translator.translate(architectures[0], pairs.sources, beam_width=3)) == len(pairs)


def test_unknown_split_is_refused(translator, architectures):
    with pytest.raises(DataUnavailable, match="it has validation and test"):
        translator.evaluate(architectures[0], "train")


def test_weights_know_their_vocabulary(translator, space, network, pairs):
    network.table(TABLE).stamp(translator.task.vocabulary.sha256)
    Translator(space, network, translator.task, "")
    network.table(TABLE).stamp("ab" * 32)
    with pytest.raises(CheckpointMismatch, match="trained with the vocabulary of sha256 abababab"):
        Translator(space, network, translator.task, "")


def test_a_vocabulary_that_is_too_large_is_refused(translator, space, network, pairs):
    class Large:
        sha256, __len__ = "", lambda self: 71

    with pytest.raises(CheckpointMismatch, match="has 71 tokens, little has room for 70"):
        Translator(space, network, TranslationTask("translation", pairs, pairs, Large()), "")


def test_bleu_is_sacrebleus():
    assert corpus_bleu(["das Licht ist an !"], ["das Licht ist an !"]) == pytest.approx(100)
    assert corpus_bleu(["a b c d e"], ["v w x y z"]) < 15
    assert "nrefs:1|case:mixed" in signature()


@pytest.mark.slow
def test_exported_folder_translates_a_sentence(translator, architectures, pairs, tmp_path):
    """What a user gets: two models, a vocabulary, and a script that needs nothing of ours."""
    translated = [
        translator.task.vocabulary.decode(row) for row in translator.answers(architectures[0], "test").arrays[0]
    ]
    exported = export_subnet(translator, architectures[0], tmp_path / "out")
    record = json.loads((exported.folder / "model.json").read_text())
    assert record["metric"]["signature"] == signature()
    assert record["input"]["test_sentences_cut"] == 0
    assert [model["file"] for model in record["models"]] == ["encoder.onnx", "decoder_step.onnx"]
    command = [sys.executable, "-I", "translate.py", *pairs.sources]
    done = subprocess.run(command, cwd=exported.folder, capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout.split("\n")[:-1] == translated
    long = subprocess.run([*command[:3], "The lamp " * 20], cwd=exported.folder, capture_output=True, text=True)
    assert long.returncode == 1
    assert "the model takes in at most 24" in long.stderr


def test_script_is_short_and_takes_numpy_and_onnxruntime_alone():
    lines = [line for line in SCRIPT.read_text(encoding="utf-8").split("\n") if line.strip()]
    assert len(lines) <= 42
    imported = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import", "from"))}
    assert imported - set(sys.stdlib_module_names) == {"numpy", "onnxruntime"}


def test_cut_sentences_are_counted_in_the_record(translator, space, network):
    long = SentencePairs(("The lamp " * 20,), ("Das Licht",))
    task = TranslationTask("translation", long, long, translator.task.vocabulary)
    assert Translator(space, network, task, "").described_input()["test_sentences_cut"] == 1


def test_the_vocabulary_survives_storing_weights_in_16_bits(translator, network, tmp_path):
    network.table(TABLE).stamp(translator.task.vocabulary.sha256)
    save_weights(network, tmp_path / "half.safetensors", float16=True)
    from safetensors.torch import load_file

    stored = load_file(tmp_path / "half.safetensors")
    assert {str(tensor.dtype) for tensor in stored.values()} == {"torch.float16"}
    digest = stored[f"shared.{TABLE}.digest"]
    assert bytes(int(value) for value in digest).hex() == translator.task.vocabulary.sha256
