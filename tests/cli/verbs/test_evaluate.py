"""`gnomon evaluate` as a user meets it: embedded data, own folders, published files."""

import numpy as np
import pytest
import torch
from PIL import Image

from gnomon.supernets import load_space
from gnomon.supernets.checkpoints.own_files import save_weights
from gnomon.supernets.data.labelled import top1_percent, top5_percent
from gnomon.supernets.elastic import ElasticNetwork

pytestmark = pytest.mark.slow


def test_embedded_supernet_is_evaluated_on_all_test_images(gnomon, all_images):
    outcome = gnomon("evaluate", "fashion_mnist", "--arch", "smallest", "--arch", "random:2", "--json")
    assert outcome.code == 0
    found = outcome.json
    assert (found["split"], found["examples"], found["unit"]) == ("test", 2500, "percent")
    assert all(80 < one["accuracy"] < 100 for one in found["architectures"])
    assert all("top5" not in one for one in found["architectures"])  # ten classes: it would say little
    space = load_space("fashion_mnist")
    rows = [one["indices"] for one in found["architectures"]]
    assert [one["macs"] for one in found["architectures"]] == list(space.macs(rows))
    assert [one["params"] for one in found["architectures"]] == list(space.params(rows))


def test_it_prints_what_a_search_validates(gnomon):
    from gnomon.supernets.supernet import load_supernet

    supernet = load_supernet("fashion_mnist")
    architecture = supernet.space.architecture(supernet.space.radices - 1)
    outcome = gnomon("evaluate", "fashion_mnist", "--split", "validation", "--json")
    (largest,) = outcome.json["architectures"]
    assert largest["accuracy"] == supernet.evaluate(architecture)


def test_the_table_says_unit_and_number_of_examples(gnomon, all_images):
    outcome = gnomon("evaluate", "fashion_mnist", "--arch", "smallest")
    assert "accuracy in percent, on the 2,500 examples of the test split" in outcome.out
    assert "1/1" in outcome.err


def test_deciding_examples_say_what_all_do(gnomon):
    asked = ("evaluate", "fashion_mnist", "--arch", "smallest", "--arch", "random:2", "--split", "validation", "--json")
    whole, same, few = (
        gnomon(*asked, *more).json for more in ((), ("--examples", "deciding:1"), ("--examples", "deciding"))
    )
    accuracies = [[one["accuracy"] for one in found["architectures"]] for found in (whole, same, few)]
    assert accuracies[1] == pytest.approx(accuracies[0])
    assert accuracies[2][0] == accuracies[0][0]  # a pilot
    assert accuracies[2][1:] == pytest.approx(accuracies[0][1:], abs=5.0)
    assert [found["deciding_share"] for found in (whole, same, few)] == [None, 1.0, 0.2]
    assert [found["examples"] for found in (whole, few)] == [whole["examples"]] * 2


def test_a_share_of_deciding_examples_is_said(gnomon):
    outcome = gnomon("evaluate", "fashion_mnist", "--arch", "smallest", "--examples", "deciding:0.1")
    assert "accuracy in percent, estimated from the 10 % that decide most on the" in outcome.out


@pytest.mark.parametrize(
    "said", ["some", "deciding:0", "deciding:1.5", "deciding:nan", "deciding:x", "deciding:", "all:0.1"]
)
def test_examples_that_are_none_are_refused(gnomon, said):
    outcome = gnomon("evaluate", "fashion_mnist", "--examples", said)
    assert outcome.code == 2
    assert f"--examples {said}: expected all, deciding, or" in " ".join(outcome.err.split())


@pytest.fixture
def imagenet_like(tmp_path, monkeypatch):
    """A thousand classes, two training images and one test image each, of 8 pixels."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for label in range(1000):
        for split, n in (("train", 2), ("val", 1)):
            folder = tmp_path / "data" / split / f"n{label:08d}"
            folder.mkdir(parents=True)
            for i in range(n):
                Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return tmp_path / "data"


def test_a_published_file_is_evaluated_on_class_folders(gnomon, imagenet_like, tmp_path, monkeypatch):
    from gnomon.supernets.data import folders

    monkeypatch.setattr(folders, "CALIBRATION", 16)
    monkeypatch.setattr(folders, "HELD_OUT", 24)
    torch.manual_seed(0)
    name = "ofa_mobilenetv3:resolution=128"
    save_weights(ElasticNetwork(load_space(name)), tmp_path / "weights")
    outcome = gnomon("evaluate", name, "--arch", "smallest", "--checkpoint", tmp_path / "weights",
                     "--data", imagenet_like, "--split", "validation", "--json")  # fmt: skip
    assert outcome.code == 0, outcome.err
    found = outcome.json
    assert found["examples"] == 24
    (smallest,) = found["architectures"]
    assert 0 <= smallest["accuracy"] <= smallest["top5"] <= 100


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fashion_mnist", "--split", "training"), "no split 'training'; it has validation and test"),
        (("fashion_mnist", "--arch", "middle"), "'middle' is no architecture"),
        (("fashion_mnis",), "did you mean 'fashion_mnist'"),
        (("ofa_resnet50",), "--checkpoint FILE"),
        (("ofa_resnet50", "--checkpoint", "absent"), "expected is ofa_resnet50_d0-1-2"),
        (("fashion_mnist", "--data", "absent"), "the folder of the data, absent, does not exist"),
    ],
)
def test_bad_input_is_one_message(gnomon, arguments, said):
    outcome = gnomon("evaluate", *arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert outcome.out == ""


def test_weights_without_data_say_which_folder_is_expected(gnomon, tmp_path):
    save_weights(ElasticNetwork(load_space("ofa_mobilenetv3")), tmp_path / "weights")
    outcome = gnomon("evaluate", "ofa_mobilenetv3", "--checkpoint", tmp_path / "weights")
    assert outcome.code == 2
    assert "--data FOLDER with train/CLASS/IMAGE" in outcome.err


def test_top5_counts_a_label_among_the_five_largest():
    logits = np.array([[9.0, 8, 7, 6, 5, 4], [9, 8, 7, 6, 5, 4], [4, 9, 8, 7, 6, 5]])
    labels = np.array([4, 5, 1])
    assert top5_percent(logits, labels) == pytest.approx(200 / 3)
    assert top1_percent(logits, labels) == pytest.approx(100 / 3)


def test_in_int8_the_bits_of_weights_and_the_check_of_kernels_are_said(gnomon):
    outcome = gnomon("evaluate", "fashion_mnist", "--arch", "smallest", "--precision", "int8", "--json")
    bits = outcome.json["weight_bits"]
    assert bits in (7, 8)
    assert f"int8 with weights in {bits} bits: the integer kernels of onnxruntime" in outcome.err
