"""Data sets of image files and of CIFAR's records, as users have them on disk."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gnomon.supernets import Choice, DataUnavailable, LayerSpec, SearchSpace, Slot
from gnomon.supernets.data.decoding import Decoding, decoded_files
from gnomon.supernets.data.folders import class_files, held_apart
from gnomon.supernets.data.labelled import share_of
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.evaluation.join import supernet_of
from gnomon.supernets.tasks import load_task

CLASSES = ("ant", "bee", "cat")


def small_space(task="imagenet", *, classes=3, size=16, channels=3):
    choices = (Choice("kernel", (3, 5)),)
    stem = LayerSpec.of("stem", (channels, size, size), kernel=3, stride=2, out_channels=8, activation="relu")

    def block(kernel):
        return LayerSpec.of("mbconv", (8, size // 2, size // 2), kernel=kernel, stride=1, mid_channels=16,
                            out_channels=8, activation="relu", se_channels=0, residual=1)  # fmt: skip

    last = LayerSpec.of("classifier", (8, size // 2, size // 2), mix_channels=0, classes=classes)
    slots = (Slot("stem", (), (), (stem,)), Slot.tabulate("block", choices, ["kernel"], block))
    return SearchSpace("small", task, (channels, size, size), choices, (*slots, Slot("head", (), (), (last,))))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gnomon" / "images"


def write_image(path, seed, size=(24, 20), mode="RGB"):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path)


@pytest.fixture
def data(tmp_path):
    """A real folder: 20 training and 4 test images a class, in all that people store images in."""
    for label, name in enumerate(CLASSES):
        for n in range(20):
            ending, mode = [("jpg", "RGB"), ("JPEG", "L"), ("png", "RGBA"), ("png", "P")][n % 4]
            write_image(tmp_path / "data" / "train" / name / f"{name}_{n}.{ending}", 100 * label + n, mode=mode)
        for n in range(4):
            write_image(tmp_path / "data" / "val" / name / f"{n}.jpg", 7000 + 100 * label + n)
        (tmp_path / "data" / "train" / name / "notes.txt").write_text("no image")
    (tmp_path / "data" / "train" / ".cache").mkdir()
    return tmp_path / "data"


def test_splits_are_disjoint_and_classes_are_sorted_names(data):
    task = load_task(small_space(), data)
    assert [len(split) for split in (task.calibration, task.validation, task.test)] == [54, 6, 12]
    assert not set(task.calibration.files.paths) & set(task.validation.files.paths)
    for split in (task.calibration, task.validation, task.test):
        assert [path.parent.name for path in split.files.paths] == [CLASSES[label] for label in split.labels]
    assert {path.parent.parent.name for path in task.test.files.paths} == {"val"}


def test_images_are_scaled_by_channel(data):
    inputs = load_task(small_space(), data).test.inputs()
    assert inputs.shape == (12, 3, 16, 16)
    assert inputs.dtype == np.float32
    pixels = load_task(small_space(), data).test.files.images(np.arange(12)).transpose(1, 0, 2, 3) / 255
    for channel, mean, deviation in zip(range(3), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)):
        assert np.allclose(inputs[:, channel], (pixels[channel] - mean) / deviation, atol=1e-5)


@pytest.mark.parametrize(("width", "height"), [(300, 200), (200, 300), (200, 200), (333, 101)])
def test_centre_is_cut_as_once_for_all_evaluates(tmp_path, width, height):
    """Short side to 147 = ceil(128 / 0.875), then the centre: a point at the centre of the photo stays there."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[height // 2 - 20 : height // 2 + 20, width // 2 - 20 : width // 2 + 20] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image = Decoding(3, 128).decode(tmp_path / "a.png")
    assert image.shape == (3, 128, 128)
    bright = np.argwhere(image[0] > 127)
    assert np.allclose(bright.mean(0), 63.5, atol=1.5)
    side = 40 * 147 / min(width, height)
    assert np.allclose(np.ptp(bright, axis=0) + 1, min(side, 128), atol=2)


@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([16, 128, 224]), st.sampled_from([0.875, 1.0]))
def test_any_image_becomes_the_square_that_is_asked_for(width, height, resolution, margin):
    decoding = Decoding(1, resolution, margin)
    assert decoding.cut(Image.new("L", (width, height), 7)).shape == (1, resolution, resolution)
    assert (decoding.cut(Image.new("L", (width, height), 7)) == 7).all()  # nothing from outside the image


def test_pixels_of_a_fitting_image_are_kept_as_they_are(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(Decoding(3, 32, 1.0).decode(tmp_path / "a.png"), pixels.transpose(2, 0, 1))


def test_only_what_is_asked_for_is_decoded_and_once(data, monkeypatch):
    decoded = []
    decode = Decoding.decode
    monkeypatch.setattr(Decoding, "decode", lambda self, path: decoded.append(path.name) or decode(self, path))
    task = load_task(small_space(), data)
    assert decoded == []
    half = share_of(task.test, 0.5)
    first = half.inputs()
    assert len(decoded) == 6
    assert np.array_equal(half.inputs(), first)
    load_task(small_space(), data).test.inputs()
    assert len(decoded) == 12
    (data / "val" / "ant" / "0.jpg").unlink()
    write_image(data / "val" / "ant" / "0.jpg", 1, size=(90, 90))
    load_task(small_space(), data).test.inputs()
    assert len(decoded) == 24  # another list of files


def test_a_share_is_part_of_a_larger_one(data):
    test = load_task(small_space(), data).test
    small, large = (set(share_of(test, share).positions) for share in (0.3, 0.7))
    assert small < large


@settings(max_examples=30, deadline=None)
@given(st.sets(st.from_regex(r"[a-z]{1,6}\.jpg", fullmatch=True), min_size=3, max_size=40), st.randoms())
def test_what_is_held_out_does_not_depend_on_the_order_of_a_folder(tmp_path_factory, names, random):
    found = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("set")
        shuffled = sorted(names)
        random.shuffle(shuffled)
        for name in shuffled:
            (folder / "only").mkdir(exist_ok=True)
            (folder / "only" / name).touch()
        held_in, held_out = held_apart(class_files(folder))
        assert set(held_in.names) | set(held_out.names) == {f"only/{name}" for name in names}
        assert len(held_in.names) + len(held_out.names) == len(names)
        assert len(held_out.names) == max(1, round(0.1 * len(names)))
        found.append(held_out.names)
    assert found[0] == found[1]


def test_another_number_of_classes_names_both(data):
    with pytest.raises(DataUnavailable, match=r"has 3 classes, the networks of small tell 1000 apart"):
        load_task(small_space(classes=1000), data)


def test_a_class_that_one_split_lacks_is_named(data):
    (data / "val" / "bee").rename(data / "val" / "wasp")
    with pytest.raises(DataUnavailable, match=r"class 'bee' is in .*train and not in .*val"):
        load_task(small_space(), data)


def test_an_empty_class_is_named(data):
    (data / "train" / "dog").mkdir()
    with pytest.raises(DataUnavailable, match=r"class 'dog' .* holds no image"):
        load_task(small_space(), data)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xff\xd8\xff\xe0 no picture", b"<html>"])
def test_a_corrupt_image_is_named(data, content):
    (data / "val" / "cat" / "2.jpg").write_bytes(content)
    task = load_task(small_space(), data)
    with pytest.raises(DataUnavailable, match=r"cat/2\.jpg cannot be decoded"):
        task.test.inputs()


def test_a_cut_image_is_named(data):
    path = data / "val" / "bee" / "1.jpg"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataUnavailable, match=r"bee/1\.jpg cannot be decoded"):
        load_task(small_space(), data).test.inputs()


@pytest.mark.parametrize("missing", ["train", "val"])
def test_a_missing_split_says_what_is_expected(data, missing):
    (data / missing).rename(data / "elsewhere")
    with pytest.raises(DataUnavailable, match=rf"{missing}: No such .*train/CLASS/IMAGE and val/CLASS/IMAGE"):
        load_task(small_space(), data)


def test_images_without_class_folders_are_told_the_layout(tmp_path):
    write_image(tmp_path / "train" / "a.jpg", 0)
    with pytest.raises(DataUnavailable, match="holds no class folders; expected train/CLASS/IMAGE"):
        load_task(small_space(), tmp_path)


def test_no_data_says_what_to_pass():
    for task in ("imagenet", "image_folder", "cifar10", "cifar100"):
        with pytest.raises(DataUnavailable, match="data=FOLDER"):
            load_task(small_space(task))


def test_a_cache_that_cannot_be_written_is_named(data, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataUnavailable, match=r"cannot be kept in .*XDG_CACHE_HOME"):
        load_task(small_space(), data).test.inputs()


def test_a_disk_too_small_is_told_before_anything_is_written(data, monkeypatch, cache):
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10, 10, 5))
    with pytest.raises(DataUnavailable, match=r"12 images take 0.0 GB, 0.0 GB are free"):
        load_task(small_space(), data).test.inputs()


def test_own_images_may_be_grey_and_tested_on_a_folder_test(data):
    (data / "val").rename(data / "test")
    task = load_task(small_space("image_folder", channels=1), data)
    assert task.test.inputs().shape == (12, 1, 16, 16)
    assert {path.parent.parent.name for path in task.test.files.paths} == {"test"}


def test_a_supernet_evaluates_a_share_of_a_folder(data):
    torch.manual_seed(0)
    space = small_space()
    network = ElasticNetwork(space).requires_grad_(False)
    supernet = supernet_of(load_task(space, data), space, network, "0" * 64)
    architecture = space.architecture([1])
    assert 0 <= supernet.evaluate(architecture, "test") <= 100
    assert supernet.evaluate(architecture, "test", share=0.5) in {100 * k / 6 for k in range(7)}
    whole = supernet.answers(architecture, "test").arrays[0]
    assert np.allclose(supernet.answers(architecture, "test", 4).arrays[0], whole[:4], atol=1e-6)
    assert "short side to 19 pixels" in supernet.described_input()["geometry"]


def test_batches_of_any_size_give_the_same_logits(data, monkeypatch):
    torch.manual_seed(0)
    space = small_space()
    supernet = supernet_of(load_task(space, data), space, ElasticNetwork(space).requires_grad_(False), "0" * 64)
    architecture = space.architecture([0])
    statistics = supernet.statistics(architecture)
    monkeypatch.setattr(type(supernet), "statistics", lambda *_: statistics)
    whole = supernet.answers(architecture, "test").arrays[0]
    monkeypatch.setattr("gnomon.supernets.evaluation.classifier.BATCH_VALUES", 5 * 3 * 16 * 16)
    assert supernet.batch(500, 5 * 3 * 16 * 16) == 5
    assert np.allclose(supernet.answers(architecture, "test").arrays[0], whole, atol=1e-5)


def write_cifar(folder, name, n, label_bytes, classes, seed):
    rng = np.random.default_rng(seed)
    records = rng.integers(0, 256, (n, label_bytes + 3072), dtype=np.uint8)
    records[:, label_bytes - 1] = np.arange(n) % classes
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(records.tobytes())
    return records


@pytest.fixture
def cifar10(tmp_path):
    inside = tmp_path / "download" / "cifar-10-batches-bin"
    for n in range(1, 6):
        write_cifar(inside, f"data_batch_{n}.bin", 20, 1, 10, n)
    write_cifar(inside, "test_batch.bin", 10, 1, 10, 6)
    return inside.parent


def cifar_space(task="cifar10", classes=10):
    return small_space(task, classes=classes, size=32)


def test_cifar10_binary_is_read_and_its_last_tenth_held_out(cifar10):
    task = load_task(cifar_space(), cifar10)
    assert [len(split) for split in (task.calibration, task.validation, task.test)] == [90, 10, 10]
    raw = np.fromfile(cifar10 / "cifar-10-batches-bin" / "test_batch.bin", np.uint8).reshape(10, -1)
    assert np.array_equal(task.test.labels, raw[:, 0])
    assert np.array_equal(task.test.images[3, 1].ravel(), raw[3, 1 + 1024 : 1 + 2048])  # green
    assert load_task(cifar_space(), cifar10 / "cifar-10-batches-bin").test.inputs().shape == (10, 3, 32, 32)


def test_cifar100_takes_the_fine_label(tmp_path):
    write_cifar(tmp_path, "train.bin", 200, 2, 100, 0)
    raw = write_cifar(tmp_path, "test.bin", 100, 2, 100, 1)
    task = load_task(cifar_space("cifar100", 100), tmp_path)
    assert np.array_equal(task.test.labels, raw[:, 1])
    assert np.array_equal(task.test.images[0].ravel(), raw[0, 2:])


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle was read",)


def test_cifars_python_version_is_not_unpickled_and_the_binary_is_named(tmp_path):
    inside = tmp_path / "cifar-10-batches-py"
    inside.mkdir()
    (inside / "data_batch_1").write_bytes(pickle.dumps(Trap()))
    for folder in (tmp_path, inside):
        with pytest.raises(DataUnavailable, match=r"a pickle.*is not read; download .*cifar-10-binary\.tar\.gz"):
            load_task(cifar_space(), folder)


def test_cut_and_foreign_cifar_files_are_refused(cifar10):
    path = cifar10 / "cifar-10-batches-bin" / "data_batch_3.bin"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(DataUnavailable, match=r"data_batch_3.bin has 61,459 bytes, which are no whole records of 3073"):
        load_task(cifar_space(), cifar10)
    path.write_bytes(b"\xff" * len(content))
    with pytest.raises(DataUnavailable, match=r"a label in .* is 255, and cifar10 has 10 classes"):
        load_task(cifar_space(), cifar10)


def test_cifar_in_class_folders_is_read_as_images(tmp_path):
    for split, n in (("train", 4), ("test", 2)):
        for label in range(10):
            for i in range(n):
                write_image(tmp_path / split / f"class{label}" / f"{i}.png", 10 * label + i, size=(32, 32))
    task = load_task(cifar_space(), tmp_path)
    assert [len(split) for split in (task.calibration, task.validation, task.test)] == [36, 4, 20]
    first = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(task.test.files.images(np.array([0]))[0], first.transpose(2, 0, 1))


def test_cifar_does_not_fit_other_inputs_or_classes(cifar10):
    with pytest.raises(DataUnavailable, match=r"are 3x32x32, the networks of small take 3x16x16"):
        load_task(small_space("cifar10", classes=10), cifar10)
    with pytest.raises(DataUnavailable, match=r"cifar10 has 10 classes, the networks of small tell 7 apart"):
        load_task(cifar_space(classes=7), cifar10)


def test_two_readers_at_once_see_the_same_images(data):
    from concurrent.futures import ThreadPoolExecutor

    paths = tuple(sorted((data / "val").rglob("*.jpg")))
    files = [decoded_files(paths, Decoding(3, 16)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(lambda one: one.images(np.arange(len(paths))), files)
    assert all(np.array_equal(first, other) for other in others)
    assert np.array_equal(first[5], Decoding(3, 16).decode(paths[5]))
