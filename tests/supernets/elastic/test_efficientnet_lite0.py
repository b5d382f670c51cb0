"""The elastic EfficientNet-Lite0 against a plain forward of its parent, written here from the parent's tensors."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import CheckpointMismatch, DataUnavailable, UnknownSpace, load_space
from gnomon.supernets.checkpoints import load_checkpoint, read_tensors
from gnomon.supernets.checkpoints.own_files import save_weights, weights_of
from gnomon.supernets.checkpoints.statistics import running_statistics
from gnomon.supernets.data.labelled import batches_of, share_of, top1_percent
from gnomon.supernets.data.prepare import data_folder
from gnomon.supernets.elastic import ElasticNetwork, FixedStatistics
from gnomon.supernets.elastic.importance import sort_by_importance
from gnomon.supernets.graph import INPUT, models_from_architecture
from gnomon.supernets.supernet import load_supernet
from gnomon.supernets.training.recipe import Phase
from gnomon.supernets.training.recipes.efficientnet_lite0 import default_parent, read_parent, recipe
from gnomon.supernets.training.to_file import TrainingRequest, train_to_file
from gnomon.supernets.weight_files import made_weights

#          expand kernel stride out, for each of the sixteen blocks (arXiv 1905.11946, table 1)
BLOCKS = (
    [(1, 3, 1, 16)]
    + [(6, 3, 2, 24), (6, 3, 1, 24)]
    + [(6, 5, 2, 40), (6, 5, 1, 40)]
    + [(6, 3, 2, 80)]
    + [(6, 3, 1, 80)] * 2
    + [(6, 5, 1, 112)] * 3
    + [(6, 5, 2, 192)]
    + [(6, 5, 1, 192)] * 3
    + [(6, 3, 1, 320)]
)


def parent_tensors(classes=1000, seed=0):
    """Random tensors under the published names.

    Batch norm's variances are of the size of its epsilon, which so matters, and convolutions give such values.
    """
    generator, tensors = torch.Generator().manual_seed(seed), {}

    def conv(name, *shape):
        fan_in = shape[1] * shape[2] * shape[3]
        tensors[f"{name}.weight"] = torch.randn(shape, generator=generator) * (1e-3 / fan_in) ** 0.5

    def norm(name, n):
        tensors[f"{name}.weight"] = torch.rand(n, generator=generator) + 0.5
        tensors[f"{name}.bias"] = torch.randn(n, generator=generator) * 0.1
        tensors[f"{name}.running_mean"] = torch.randn(n, generator=generator) * 0.01
        tensors[f"{name}.running_var"] = (torch.rand(n, generator=generator) + 0.5) * 1e-3
        tensors[f"{name}.num_batches_tracked"] = torch.tensor(1)

    conv("_conv_stem", 32, 3, 3, 3)
    norm("_bn0", 32)
    channels = 32
    for number, (expand, kernel, _, out) in enumerate(BLOCKS):
        block, mid = f"_blocks.{number}", channels * expand
        if expand > 1:
            conv(f"{block}._expand_conv", mid, channels, 1, 1)
            norm(f"{block}._bn0", mid)
        conv(f"{block}._depthwise_conv", mid, 1, kernel, kernel)
        norm(f"{block}._bn1", mid)
        conv(f"{block}._project_conv", out, mid, 1, 1)
        norm(f"{block}._bn2", out)
        channels = out
    conv("_conv_head", 1280, 320, 1, 1)
    norm("_bn1", 1280)
    tensors["_fc.weight"] = torch.randn(classes, 1280, generator=generator) * 0.03
    tensors["_fc.bias"] = torch.randn(classes, generator=generator)
    return tensors


def parent_logits(t, x):
    """The published network, padded as TensorFlow pads."""

    def norm(x, name):
        statistics = t[f"{name}.running_mean"], t[f"{name}.running_var"]
        return functional.batch_norm(x, *statistics, t[f"{name}.weight"], t[f"{name}.bias"], eps=1e-3)

    def conv(x, name, stride=1, groups=1):
        weight = t[f"{name}.weight"]
        size, kernel = x.shape[-1], weight.shape[-1]
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        before = total // 2
        x = functional.pad(x, (before, total - before, before, total - before))
        return functional.conv2d(x, weight, stride=stride, groups=groups)

    x = functional.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
    for number, (expand, _, stride, _) in enumerate(BLOCKS):
        block, y = f"_blocks.{number}", x
        if expand > 1:
            y = functional.relu6(norm(conv(y, f"{block}._expand_conv"), f"{block}._bn0"))
        y = functional.relu6(norm(conv(y, f"{block}._depthwise_conv", stride, y.shape[1]), f"{block}._bn1"))
        y = norm(conv(y, f"{block}._project_conv"), f"{block}._bn2")
        x = x + y if x.shape == y.shape else y
    x = functional.relu6(norm(conv(x, "_conv_head"), "_bn1")).mean((2, 3))
    return functional.linear(x, t["_fc.weight"], t["_fc.bias"])


def images(resolution, n=2):
    return torch.rand(n, 3, resolution, resolution, generator=torch.Generator().manual_seed(1)) * 2 - 1


def saved(tensors, path):
    torch.save(tensors, path)
    return path


def real_file():
    return data_folder("efficientnet-lite0") / "efficientnet-lite0-57934424.pth"


def largest_of(space):
    return space.architecture(space.radices - 1)


@pytest.mark.parametrize("resolution", [64, 96, 224])
def test_largest_is_the_parent(resolution, tmp_path):
    tensors = parent_tensors()
    space = load_space(f"efficientnet_lite0:resolution={resolution}")
    network = ElasticNetwork(space).requires_grad_(False)
    load_checkpoint(network, saved(tensors, tmp_path / "parent.pth"))
    statistics, x = running_statistics(space, tensors), images(resolution)
    expected = parent_logits(tensors, x)
    scale = float(expected.abs().max())
    assert scale > 1
    assert torch.allclose(network(x, largest_of(space), FixedStatistics(statistics)), expected, atol=1e-4 * scale)
    statistics = sort_by_importance(network, statistics)
    assert torch.allclose(network(x, largest_of(space), FixedStatistics(statistics)), expected, atol=1e-4 * scale)


def test_largest_is_the_published_network_on_its_published_weights():
    path = real_file()
    if not path.exists():
        pytest.skip(f"no {path}; run: gnomon data prepare efficientnet-lite0")
    tensors, space = read_tensors(path), load_space("efficientnet_lite0")
    network = ElasticNetwork(space).requires_grad_(False)
    load_checkpoint(network, path)
    statistics = sort_by_importance(network, running_statistics(space, tensors))
    x = images(224)
    expected = parent_logits(tensors, x)
    assert torch.allclose(network(x, largest_of(space), FixedStatistics(statistics)), expected, atol=1e-4)


@pytest.fixture
def photos(tmp_path):
    """Class folders of two classes, dark and light: 12 training and 4 test images each."""
    rng = np.random.default_rng(0)
    for split, n in (("train", 12), ("val", 4)):
        for level, name in ((60, "dark"), (190, "light")):
            folder = tmp_path / "images" / split / name
            folder.mkdir(parents=True)
            for number in range(n):
                pixels = np.clip(rng.normal(level, 20, (40, 40, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "images"


@pytest.mark.slow
def test_what_is_evaluated_and_exported_is_the_published_network_with_its_statistics(tmp_path, photos):
    tensors, space = parent_tensors(classes=2), "efficientnet_lite0:classes=2,resolution=32"
    supernet = load_supernet(space, checkpoint=saved(tensors, tmp_path / "parent.pth"), data=photos)
    largest, test = largest_of(supernet.space), supernet.split("test")
    expected = parent_logits(tensors, torch.from_numpy(test.inputs())).numpy()
    scale = np.abs(expected).max()
    (answered,) = supernet.answers(largest, "test").arrays
    assert np.abs(answered - expected).max() < 1e-4 * scale
    shared = share_of(test, 0.3)
    judged = parent_logits(tensors, torch.from_numpy(shared.inputs())).numpy()
    assert supernet.evaluate(largest, "test", 0.3) == top1_percent(judged, shared.labels)
    (part,) = supernet.models(largest, batch=len(test))
    with load_backend("onnxruntime").load(part.model, RunConfig(batch=len(test))) as executable:
        (exported,) = executable.run({INPUT: test.inputs()}).values()
    assert np.abs(exported - expected).max() < 1e-4 * scale


@pytest.mark.slow
def test_other_sub_networks_are_calibrated(tmp_path, photos, caplog):
    tensors, space = parent_tensors(classes=2), "efficientnet_lite0:classes=2,resolution=32"
    supernet = load_supernet(space, checkpoint=saved(tensors, tmp_path / "parent.pth"), data=photos)
    nearest = supernet.space.architecture(supernet.space.neighbours(largest_of(supernet.space))[0])
    expected = supernet.network.calibrate_on(nearest, batches_of(supernet.task.calibration, 100))
    supernet.statistics(largest_of(supernet.space))
    assert not caplog.records
    found = supernet.statistics(nearest)
    supernet.statistics(nearest, 0.5)
    (told,) = caplog.messages
    assert "calibrated on 22 training images, 500 are enough" in told
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[place][0], expected[place][0]) for place in found)


@pytest.mark.slow
def test_statistics_that_are_not_whole_or_not_finite_are_refused(tmp_path):
    network = ElasticNetwork(load_space("efficientnet_lite0:resolution=32"))
    for name, value, said in (
        ("_blocks.4._bn1.running_mean", None, "block2.2.depthwise are absent"),
        ("_blocks.4._bn1.running_var", None, "without '_blocks.4._bn1.running_var'"),
        ("_blocks.4._bn1.running_mean", torch.zeros(3), r"\(3,\).* expected two of \(240,\)"),
        ("_blocks.4._bn1.running_var", torch.full((240,), float("nan")), "not finite"),
    ):
        tensors = parent_tensors()
        del tensors[name]
        tensors |= {} if value is None else {name: value}
        with pytest.raises(CheckpointMismatch, match=said):
            load_checkpoint(network, saved(tensors, tmp_path / "parent.pth"))


def test_a_file_of_ours_keeps_statistics_through_sorting_and_saving(tmp_path):
    tensors, x = parent_tensors(), images(64)
    first, second = (ElasticNetwork(load_space("efficientnet_lite0:resolution=64")) for _ in range(2))
    load_checkpoint(first, saved(tensors, tmp_path / "parent.pth"))
    sort_by_importance(first)
    save_weights(first, tmp_path / "ours.safetensors")
    load_checkpoint(second, tmp_path / "ours.safetensors")
    expected = parent_logits(tensors, x)
    found = second.logits(x, second.largest, second.own_statistics(second.largest))
    assert torch.allclose(found, expected, atol=1e-4 * float(expected.abs().max()))


def test_exported_graphs_pad_as_torch_does(tmp_path):
    space = load_space("efficientnet_lite0:classes=5,resolution=96")
    network, x = ElasticNetwork(space), images(96)
    for row in (space.radices - 1, space.radices * 0, space.radices // 2):
        architecture = space.architecture(row)
        statistics = network.calibrate(architecture, x)
        (part,) = models_from_architecture(space, architecture, network.folded(architecture, statistics), batch=2)
        with load_backend("onnxruntime").load(part.model, RunConfig(batch=2)) as executable:
            (found,) = executable.run({INPUT: x.numpy()}).values()
        expected = network.logits(x, architecture, statistics)
        assert torch.allclose(torch.from_numpy(found), expected, atol=1e-3)


def test_new_classes_keep_the_parent_s_features(tmp_path):
    path = saved(parent_tensors(), tmp_path / "parent.pth")
    theirs, ours = (ElasticNetwork(load_space(f"efficientnet_lite0:classes={n},resolution=64")) for n in (1000, 7))
    fresh = ours.state_dict()["slots.classifier.steps.classifier.linear.weight"].clone()
    for network in (theirs, ours):
        read_parent(network, path)
    for name, tensor in ours.state_dict().items():
        if not name.startswith("slots.classifier"):  # where channels are sorted by what the new classes read
            assert torch.equal(tensor, theirs.state_dict()[name]), name
    found = ours.state_dict()["slots.classifier.steps.classifier.linear.weight"]
    assert torch.equal(found[0].sort().values, fresh[0].sort().values)


def test_smaller_kernel_starts_as_the_centre_of_the_parent_s(tmp_path):
    tensors = parent_tensors()
    space = load_space("efficientnet_lite0:resolution=64")
    network = ElasticNetwork(space)
    load_checkpoint(network, saved(tensors, tmp_path / "parent.pth"))
    conv = network.sequence("block2.1").steps["depthwise"]
    values = space.values(largest_of(space))
    slot = next(slot for slot in space.slots if slot.name == "block2.1")
    three = slot.spec(space.architecture_of(values | {"kernel.2.1": 3}).indices)
    from gnomon.supernets.layers import operations

    depthwise = next(operation for operation in operations(three) if operation.name == "depthwise")
    centre = tensors["_blocks.3._depthwise_conv.weight"][:, :, 1:4, 1:4] * (1e-5 / 1e-3) ** 0.5
    assert torch.allclose(conv.sliced(depthwise), centre)
    assert depthwise.padding == (0, 0, 1, 1)


def test_another_file_is_refused_with_what_is_expected(tmp_path):
    tensors = parent_tensors()
    tensors["_blocks.3._depthwise_conv.weight"] = torch.zeros(144, 1, 3, 3)
    network = ElasticNetwork(load_space("efficientnet_lite0:resolution=64"))
    with pytest.raises(CheckpointMismatch, match="gnomon data prepare efficientnet-lite0") as raised:
        read_parent(network, saved(tensors, tmp_path / "odd.pth"))
    assert "block2_1.steps.depthwise" in raised.value.tensor


@pytest.mark.parametrize("options", ["classes=1", "resolution=100", "resolution=0"])
def test_options_outside_are_refused(options):
    with pytest.raises(UnknownSpace, match="efficientnet_lite0"):
        load_space(f"efficientnet_lite0:{options}")


@pytest.mark.slow
def test_fine_tuning_on_class_folders_starts_from_the_parent(tmp_path, photos):
    quick = replace(recipe(), phases=(Phase(6, 0.0005, elastic=()), Phase(4, 0.0005)), batch=8, ema_decay=0.5)
    out = tmp_path / "w.safetensors"
    parent = saved(parent_tensors(), tmp_path / "parent.pth")
    space = "efficientnet_lite0:classes=2,resolution=32"
    train_to_file(TrainingRequest(space, photos, out, parent, quick))
    supernet = load_supernet(space, checkpoint=out, data=photos)
    assert supernet.network.parent_statistics is None  # those of the parent are no longer its own
    assert supernet.evaluate(largest_of(supernet.space), "test") >= 75
    assert "128" in supernet.described_input()["scaling"] or "0.50196" in supernet.described_input()["scaling"]


def test_training_without_the_parent_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataUnavailable, match="gnomon data prepare efficientnet-lite0"):
        default_parent()


def test_the_parent_s_file_for_other_classes_is_told_how_they_are_trained(tmp_path):
    network, path = ElasticNetwork(load_space("efficientnet_lite0:classes=7,resolution=64")), tmp_path / "parent.pth"
    told = f"train its classifier: gnomon train efficientnet_lite0:classes=7,resolution=64 --from {path}"
    with pytest.raises(CheckpointMismatch, match="fits efficientnet_lite0:resolution=64,classes=1000") as raised:
        load_checkpoint(network, saved(parent_tensors(), path))
    assert told in str(raised.value)


def test_prepared_weights_are_found_by_whatever_needs_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UnknownSpace, match=r"run: gnomon data prepare efficientnet-lite0.*gnomon train"):
        load_supernet("efficientnet_lite0")
    real_file().parent.mkdir(parents=True)
    saved(parent_tensors(), real_file())
    assert weights_of("efficientnet_lite0") == weights_of("efficientnet_lite0:resolution=64") == real_file()
    assert weights_of("efficientnet_lite0:classes=7") is None
    with pytest.raises(DataUnavailable, match="`data=FOLDER`"):  # the weights were read
        load_supernet("efficientnet_lite0:resolution=32")
    made_weights("efficientnet_lite0").parent.mkdir(parents=True)
    made_weights("efficientnet_lite0").touch()
    assert weights_of("efficientnet_lite0") == made_weights("efficientnet_lite0")
