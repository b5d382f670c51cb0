"""The contract of tasks, run over everything registered on the smallest data that each of them reads."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot, load_space
from gnomon.supernets.data.vocabulary import learned
from gnomon.supernets.families.encoder_decoder import EncoderDecoder
from gnomon.supernets.spaces import bert_minilm
from gnomon.supernets.tasks import TASKS, task_names
from gnomon.supernets.testing import TaskContract

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "dull", "fine", "grim", "bright", "a", "film")
SMALL_BERT = bert_minilm.Bert(
    vocabulary=len(WORDS), limit=64, width=8, head_dim=4, depths=(1, 2), heads=(1, 2), hidden=(8, 16)
)
SMALL_TRANSLATOR = EncoderDecoder(
    vocabulary=60, encoder_widths=(8,), decoder_widths=(8,), hidden=(8, 16), heads=(1, 2), encoder_layers=1,
    decoder_layers=(1, 2), attended=(1,), head_dim=lambda heads: 4,
)  # fmt: skip


def image_space(task, classes, size=16):
    choices = (Choice("kernel", (3, 5)),)
    stem = LayerSpec.of("stem", (3, size, size), kernel=3, stride=2, out_channels=8, activation="relu")

    def block(kernel):
        return LayerSpec.of("mbconv", (8, size // 2, size // 2), kernel=kernel, stride=1, mid_channels=8,
                            out_channels=8, activation="relu", se_channels=0, residual=1)  # fmt: skip

    last = LayerSpec.of("classifier", (8, size // 2, size // 2), mix_channels=0, classes=classes)
    slots = (Slot("stem", (), (), (stem,)), Slot.tabulate("block", choices, ["kernel"], block))
    return SearchSpace("small", task, (3, size, size), choices, (*slots, Slot("head", (), (), (last,))))


def class_folders(task, folder, monkeypatch):
    rng = np.random.default_rng(0)
    for split, n in (("train", 12), ("val", 4)):
        for name in ("ant", "bee"):
            (folder / split / name).mkdir(parents=True)
            for image in range(n):
                pixels = rng.integers(0, 256, (18, 20, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{image}.png")
    return image_space(task, 2), folder


def cifar(task, folder, monkeypatch):
    rng = np.random.default_rng(0)
    labels, classes = (1, 10) if task == "cifar10" else (2, 100)
    files = (
        [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"] if labels == 1 else ["train.bin", "test.bin"]
    )
    for name in files:
        records = rng.integers(0, 256, (200, labels + 3072), dtype=np.uint8)
        records[:, labels - 1] = np.arange(200) % classes
        (folder / name).write_bytes(records.tobytes())
    return image_space(task, classes, 32), folder


def sentences(task, folder, monkeypatch):
    monkeypatch.setattr(bert_minilm, "SIZES", SMALL_BERT)
    load_space.cache_clear()
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    for split, n in (("train", 40), ("validation", 10), ("test", 10)):
        with (folder / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
            rows = [("a " * (n % 5) + "film " + WORDS[4 + n % 4], n % 2) for n in range(n)]
            csv.writer(file).writerows([("text", "label"), *rows])
    return replace(load_space("bert_minilm:tokens=8"), task=task), folder


def sentence_pairs(task, folder, monkeypatch):
    english = [f"The {thing} is {state}." for thing in ("lamp", "door", "fan", "oven") for state in ("on", "off")]
    german = [f"Das {thing} ist {state}." for thing in ("Licht", "Tor", "Rad", "Rohr") for state in ("an", "aus")]
    for language, lines in (("en", english), ("de", german)):
        for split in ("train", "valid", "test"):
            (folder / f"{split}.{language}").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    space = SMALL_TRANSLATOR.space("little", task, source=20, target=12, steps=4)
    vocabulary = learned([folder / f"train.{language}" for language in ("en", "de")], 60)
    (folder / "vocabulary.json").write_bytes(vocabulary.content)
    return space, folder


SAMPLES = {
    "cifar10": cifar,
    "cifar100": cifar,
    "fashion_mnist": lambda task, folder, monkeypatch: (load_space(task), None),
    "image_folder": class_folders,
    "image_folder_half": class_folders,
    "imagenet": class_folders,
    "movie_reviews": sentences,
    "text_folder": sentences,
    "translation": sentence_pairs,
}


class TestRegisteredTasks(TaskContract):
    @pytest.fixture(params=task_names())
    def sample(self, request, tmp_path, monkeypatch, few_images):
        """A small space and small data of the task; one that is registered needs an entry of SAMPLES."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        folder = tmp_path / "data"
        folder.mkdir()
        yield SAMPLES[request.param](request.param, folder, monkeypatch)
        load_space.cache_clear()

    @pytest.fixture
    def space(self, sample):
        return sample[0]

    @pytest.fixture
    def data(self, sample):
        return sample[1]

    @pytest.fixture
    def module(self, space):
        return TASKS.load(space.task)
