import gzip
import shutil
from dataclasses import replace

import numpy as np
import pytest

from gnomon.supernets import DataUnavailable, load_space
from gnomon.supernets.data import packages, prepare
from gnomon.supernets.data.labelled import top1_percent
from gnomon.supernets.tasks import load_task
from gnomon.supernets.tasks.fashion_mnist import training_split

SPACE = load_space("fashion_mnist")


def test_embedded_sample_has_disjoint_splits_of_ten_classes():
    task = load_task(SPACE)
    splits = (task.calibration, task.validation, task.test)
    assert [len(split) for split in splits] == [512, 2500, 2500]
    assert all(set(split.labels) == set(range(10)) for split in splits)
    seen = [{image.tobytes() for image in split.images} for split in splits]
    assert len(set.union(*seen)) == sum(map(len, seen))


def test_inputs_are_scaled_to_zero_mean_and_unit_deviation():
    inputs = load_task(SPACE).test.inputs()
    assert inputs.dtype == np.float32
    assert abs(inputs.mean()) < 0.05
    assert abs(inputs.std() - 1) < 0.05


def test_full_set_holds_the_last_5000_out(full_data):
    training, held_out = training_split(full_data)
    assert (len(training), len(held_out)) == (256, 5000)
    task = load_task(SPACE, full_data)
    assert (len(task.validation), len(task.test)) == (5000, 40)


@pytest.mark.parametrize(
    "content",
    [b"", b"not idx at all", bytes([0, 0, 8, 3]) + np.array([9, 9, 9], ">u4").tobytes(), bytes([0, 0, 13, 1, 0, 0])],
)
def test_bad_idx_files_are_refused_by_name(damaged_data, content):
    (damaged_data / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    with pytest.raises(DataUnavailable, match="train-images-idx3-ubyte"):
        load_task(SPACE, damaged_data)


def test_truncated_gzip_is_refused(damaged_data):
    path = damaged_data / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataUnavailable, match="t10k-images"):
        load_task(SPACE, damaged_data)


def test_absent_files_name_the_command_that_gets_them(tmp_path):
    with pytest.raises(DataUnavailable, match="gnomon data prepare fashion-mnist"):
        load_task(SPACE, tmp_path)


def test_task_without_loader_lists_the_known():
    with pytest.raises(DataUnavailable, match=r"there is one for cifar10, .*fashion_mnist"):
        load_task(replace(SPACE, task="moonlight"))


def test_top1_counts_hits():
    assert top1_percent(np.eye(4), np.array([0, 1, 2, 0])) == 75.0


def test_unknown_data_set_lists_the_known():
    with pytest.raises(DataUnavailable, match=r"known: .*fashion-mnist"):
        prepare.prepare("imagenet")


def test_altered_package_is_refused_and_nothing_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "data_folder", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(
        packages, "run_tool", lambda command, cwd: (cwd / "dataset-fashion-mnist_1_all.deb").write_bytes(b"altered")
    )
    monkeypatch.setattr(shutil, "which", lambda tool: f"/usr/bin/{tool}")
    with pytest.raises(DataUnavailable, match="expected 39e172fe"):
        prepare.prepare("fashion-mnist")
    assert list((tmp_path / "cache").iterdir()) == []


def test_system_without_apt_is_told_where_the_files_are(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "data_folder", lambda name: tmp_path / name)
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(DataUnavailable, match="pass their folder as `data`"):
        prepare.prepare("fashion-mnist")


def test_failing_tool_passes_its_words_on(tmp_path):
    with pytest.raises(DataUnavailable, match="No such file"):
        packages.run_tool(["ls", "absent-folder"], cwd=tmp_path)
