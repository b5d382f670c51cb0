"""Once-for-All's published files: against plain formulas below, and against logits of the authors' package.

The formulas share no code with the package: they name tensors as the published files do, and slice them as
arXiv 1908.09791 says. The logits are of `ofa` 0.1.0 from PyPI (benchmarks/checkpoint_parity.py --write).
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gnomon.supernets import CheckpointMismatch, load_space
from gnomon.supernets.checkpoints import load_checkpoint
from gnomon.supernets.checkpoints.published import published_for
from gnomon.supernets.checkpoints.testing import formula_images, formula_weight
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.weight_files import SHIPPED

pytestmark = pytest.mark.slow

FROZEN = json.loads((Path(__file__).parent / "ofa_logits.json").read_text())
FAMILIES = tuple(FROZEN["subnetworks"])
RELU, RELU6 = F.relu, F.relu6


def hard_swish(x):
    return x * F.relu6(x + 3) / 6


def rounded(channels):
    """A multiple of eight, at least nine tenths of the channels."""
    new = max(8, int(channels + 4) // 8 * 8)
    return new + 8 if new < 0.9 * channels else new


class Plain:
    """Tensors by published name, made when they are first asked for; layers that slice them."""

    def __init__(self, epsilon):
        self.tensors, self.epsilon = {}, epsilon

    def __call__(self, name, *shape):
        if name not in self.tensors:
            self.tensors[name] = torch.from_numpy(formula_weight(name, shape))
        return self.tensors[name]

    def norm(self, x, name, most):
        n = x.shape[1]
        scale, shift = self(f"{name}.weight", most)[:n], self(f"{name}.bias", most)[:n]
        mean = x.mean((0, 2, 3), keepdim=True)
        variance = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
        x = (x - mean) / torch.sqrt(variance + self.epsilon)
        return x * scale[:, None, None] + shift[:, None, None]

    def conv(self, x, names, outs, most, kernel=1, stride=1):
        """A dense convolution to `outs` channels, where the file holds `most` = (out, in) of them."""
        weight = self(f"{names[0]}.weight", *most, kernel, kernel)[:outs, : x.shape[1]]
        x = F.conv2d(x, weight, stride=stride, padding=kernel // 2)
        return self.norm(x, names[1], most[0]) if len(names) > 1 else x

    def depthwise(self, x, names, kernel, most, largest, stride):
        weight = self(f"{names[0]}.conv.weight" if largest == 7 else f"{names[0]}.weight", most, 1, largest, largest)
        n = x.shape[1]
        if largest == 7:
            to5, to3 = self(f"{names[0]}.7to5_matrix", 25, 25), self(f"{names[0]}.5to3_matrix", 9, 9)
            five = (weight[:, 0, 1:6, 1:6].reshape(-1, 25) @ to5.T).reshape(-1, 1, 5, 5)
            three = (five[:, 0, 1:4, 1:4].reshape(-1, 9) @ to3.T).reshape(-1, 1, 3, 3)
            weight = {7: weight, 5: five, 3: three}[kernel]
        x = F.conv2d(x, weight[:n], stride=stride, padding=kernel // 2, groups=n)
        return self.norm(x, names[1], most)

    def squeeze(self, x, name, most):
        n, mid, most_mid = x.shape[1], rounded(x.shape[1] // 4), rounded(most // 4)
        reduce = self(f"{name}.reduce.weight", most_mid, most, 1, 1)[:mid, :n]
        expand = self(f"{name}.expand.weight", most, most_mid, 1, 1)[:n, :mid]
        y = F.conv2d(x.mean((2, 3), keepdim=True), reduce, self(f"{name}.reduce.bias", most_mid)[:mid])
        y = F.conv2d(F.relu(y), expand, self(f"{name}.expand.bias", most)[:n])
        return x * F.relu6(y + 3) / 6

    def linear(self, x, name, most):
        return x @ self(f"{name}.weight", 1000, most)[:, : x.shape[1]].T + self(f"{name}.bias", 1000)


def inverted(plain, x, number, stage, values, stride):
    """Block `number` of a file, at `values` = (kernel, expand), or the first of all."""
    outs, activation, has_squeeze = stage
    at, ins = f"blocks.{number}.mobile_inverted_conv", x.shape[1]
    y, most = x, ins
    wrapped = ".bn" if number else ""  # what is elastic is wrapped once more
    if number:
        most = ins * 6
        names = (f"{at}.inverted_bottleneck.conv.conv", f"{at}.inverted_bottleneck.bn.bn")
        y = activation(plain.conv(y, names, ins * values[1], (most, ins)))
    names = (f"{at}.depth_conv.conv", f"{at}.depth_conv.bn{wrapped}")
    y = activation(plain.depthwise(y, names, values[0], most, 7 if number else 3, stride))
    if has_squeeze:
        y = plain.squeeze(y, f"{at}.depth_conv.se.fc", most)
    names = (f"{at}.point_linear.conv" + (".conv" if number else ""), f"{at}.point_linear.bn{wrapped}")
    y = plain.conv(y, names, outs, (outs, most))
    return x + y if stride == 1 and ins == outs else y


def blocks_of(plain, x, stages, values):
    """All elastic blocks of a network of inverted residuals; `stages` = ((stage, stride), ...)."""
    for number, (stage, stride) in enumerate(stages, 1):
        for position in range(1, 1 + values.get(f"depth.{number}", 1)):
            setting = (values[f"kernel.{number}.{position}"], values[f"expand.{number}.{position}"])
            index = 4 * (number - 1) + position
            x = inverted(plain, x, index, stage, setting, stride if position == 1 else 1)
    return x


def plain_mobilenetv3(x, values, width, plain):
    first, *widths = (rounded(n * width) for n in (16, 24, 40, 80, 112, 160))
    x = hard_swish(plain.conv(x, ("first_conv.conv", "first_conv.bn"), first, (first, 3), 3, 2))
    x = inverted(plain, x, 0, (first, RELU, False), (3, 1), 1)
    kinds = ((RELU, False, 2), (RELU, True, 2), (hard_swish, False, 2), (hard_swish, True, 1), (hard_swish, True, 2))
    stages = [((outs, act, squeeze), stride) for outs, (act, squeeze, stride) in zip(widths, kinds)]
    x = blocks_of(plain, x, stages, values)
    last, mix = rounded(960 * width), rounded(1280 * width)
    names = ("final_expand_layer.conv", "final_expand_layer.bn")
    x = hard_swish(plain.conv(x, names, last, (last, widths[-1]))).mean((2, 3), keepdim=True)
    x = hard_swish(plain.conv(x, ("feature_mix_layer.conv",), mix, (mix, last)))
    return plain.linear(x.flatten(1), "classifier.linear", mix)


def plain_proxyless(x, values, width, plain):
    stem, first, *widths = (rounded(n * width) for n in (32, 16, 24, 40, 80, 96, 192, 320))
    x = RELU6(plain.conv(x, ("first_conv.conv", "first_conv.bn"), stem, (stem, 3), 3, 2))
    x = inverted(plain, x, 0, (first, RELU6, False), (3, 1), 1)
    stages = [((outs, RELU6, False), stride) for outs, stride in zip(widths, (2, 2, 2, 1, 2, 1))]
    x = blocks_of(plain, x, stages, values)
    mix = rounded(1280 * width)
    x = RELU6(plain.conv(x, ("feature_mix_layer.conv", "feature_mix_layer.bn"), mix, (mix, widths[-1])))
    return plain.linear(x.mean((2, 3)), "classifier.linear", mix)


def plain_resnet(x, values, width, plain):
    def layer(x, name, outs, most, kernel=1, stride=1):
        return plain.conv(x, (f"{name}.conv.conv", f"{name}.bn.bn"), outs, most, kernel, stride)

    inside = rounded(rounded(64 * values["width.stem.inside"]) // 2)
    x = RELU(layer(x, "input_stem.0", inside, (32, 3), 3, 2))
    if values["depth.stem"] == 2:
        x = x + RELU(layer(x, "input_stem.1.conv", inside, (32, 32), 3))
    x = RELU(layer(x, "input_stem.2", rounded(64 * values["width.stem"]), (64, 32), 3))
    x, index, ins_most = F.max_pool2d(x, 3, 2, 1), 0, 64
    for number, (most, fewest, step) in enumerate(((256, 2, 1), (512, 2, 2), (1024, 4, 2), (2048, 2, 2)), 1):
        outs = rounded(most * values[f"width.{number}"])
        for position in range(1, fewest + 3):
            at, stride = f"blocks.{index}", step if position == 1 else 1
            index += 1
            if position > fewest + values[f"depth.{number}"]:
                continue
            mid, most_mid = rounded(round(outs * values[f"expand.{number}.{position}"])), rounded(round(most * 0.35))
            shortcut = x
            if position == 1:
                shortcut = F.avg_pool2d(x, stride, stride, 0, ceil_mode=True)
                shortcut = layer(shortcut, f"{at}.downsample", outs, (most, ins_most))
            y = RELU(layer(x, f"{at}.conv1", mid, (most_mid, ins_most)))
            y = RELU(layer(y, f"{at}.conv2", mid, (most_mid, most_mid), 3, stride))
            x, ins_most = RELU(shortcut + layer(y, f"{at}.conv3", outs, (most, most_mid))), most
    return plain.linear(x.mean((2, 3)), "classifier.linear.linear", 2048)


PLAIN = {
    "ofa_mobilenetv3": (plain_mobilenetv3, 1.0, 1e-5),
    "ofa_mobilenetv3:width=1.2": (plain_mobilenetv3, 1.2, 1e-5),
    "ofa_proxyless": (plain_proxyless, 1.3, 1e-3),
    "ofa_resnet50": (plain_resnet, None, 1e-5),
}


def space_at(name, resolution):
    base, _, options = name.partition(":")
    return load_space(f"{base}:{','.join(filter(None, [options, f'resolution={resolution}']))}")


def run_plain(name, plain, images, values):
    function, width, _ = PLAIN[name]
    return function(images, values, width, plain)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request, tmp_path_factory):
    """A family's name, its formulas with all tensors made, and our network with the same from a published file."""
    name = request.param
    space, plain = space_at(name, 128), Plain(PLAIN[name][2])
    largest = space.architecture(space.radices - 1)
    run_plain(name, plain, formula_images(2, space.input_shape), space.values(largest))
    path = tmp_path_factory.mktemp("published") / "file_without_an_ending"
    statistics = {"first_conv.bn.running_mean": torch.ones(3), "first_conv.bn.num_batches_tracked": torch.tensor(7)}
    torch.save({"state_dict": plain.tensors | statistics}, path)
    network = ElasticNetwork(space).requires_grad_(False)
    load_checkpoint(network, path)
    return name, plain, network


def relative_difference(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


def test_networks_from_published_files_are_those_of_the_formulas(family):
    name, plain, network = family
    space, count = network.space, len(plain.tensors)
    images = formula_images(3, space.input_shape)
    ends = [np.zeros_like(space.radices), space.radices - 1]
    for row in [*ends, *space.sample(2, np.random.default_rng(5))]:
        architecture = space.architecture(row)
        expected = run_plain(name, plain, images, space.values(architecture))
        assert relative_difference(network(images, architecture), expected) < 1e-4
    assert len(plain.tensors) == count  # the file held all that any sub-network uses


class PlainWithStatistics(Plain):
    """The same, normalising by running statistics: those of the first images that it sees."""

    def norm(self, x, name, most):
        assert x.shape[1] == most
        scale, shift = self(f"{name}.weight", most), self(f"{name}.bias", most)
        mean = self.tensors.setdefault(f"{name}.running_mean", x.mean((0, 2, 3)))
        variance = self.tensors.setdefault(f"{name}.running_var", x.var((0, 2, 3)))
        return F.batch_norm(x, mean, variance, scale, shift, eps=self.epsilon)


@pytest.mark.parametrize("name", ["ofa_mobilenetv3", "ofa_proxyless", "ofa_resnet50"])
def test_the_largest_keeps_the_statistics_of_the_file_at_the_size_they_are_of(name, tmp_path):
    plain, space = PlainWithStatistics(PLAIN[name][2]), space_at(name, 224)
    network = ElasticNetwork(space).requires_grad_(False)
    images, largest = formula_images(3, space.input_shape), network.largest
    run_plain(name, plain, images[:2], space.values(largest))
    expected = run_plain(name, plain, images[2:], space.values(largest))
    torch.save({"state_dict": plain.tensors}, tmp_path / "file")
    load_checkpoint(network, tmp_path / "file")
    found = network.logits(images[2:], largest, network.own_statistics(largest))
    assert relative_difference(found, expected) < 1e-4
    assert network.own_statistics(space.architecture(space.neighbours(largest)[0])) is None
    smaller = ElasticNetwork(space_at(name, 160))
    load_checkpoint(smaller, tmp_path / "file")
    assert smaller.own_statistics(smaller.largest) is None


def test_networks_from_published_files_are_those_of_the_authors_package(family):
    name, _, network = family
    images = formula_images(FROZEN["images"], network.space.input_shape)
    for frozen in FROZEN["subnetworks"][name]:
        architecture = network.space.architecture(frozen["indices"])
        expected = torch.tensor(frozen["logits"])
        found = network(images, architecture)[: len(expected), : expected.shape[1]]
        assert relative_difference(found, expected) < 2e-4


def test_odd_sizes_pool_as_the_formula_does():
    plain, space = Plain(1e-5), space_at("ofa_resnet50", 132)  # 33 pixels, then 17, 9 and 5
    network = ElasticNetwork(space).requires_grad_(False)
    images, largest = formula_images(2, space.input_shape), space.architecture(space.radices - 1)
    expected = run_plain("ofa_resnet50", plain, images, space.values(largest))
    network.load_state_dict(published_for("ofa_resnet50").translated(plain.tensors))
    assert relative_difference(network(images, largest), expected) < 1e-4


OLDER = ((".conv.conv.", ".conv."), (".bn.bn.", ".bn."), (".linear.linear.", ".linear."))


def test_older_and_newer_spellings_are_one(family):
    name, plain, network = family
    published = published_for(name)
    for tensor in plain.tensors:
        for long, short in (*OLDER, (".mobile_inverted_conv.", ".conv.")):
            assert published.our_name(tensor.replace(long, short)) == published.our_name(tensor)
    assert {published.our_name(tensor) for tensor in plain.tensors} == set(network.state_dict())


@pytest.mark.parametrize("family", ["ofa_mobilenetv3"], indirect=True)
def test_a_tensor_too_many_and_one_too_few_are_named(family, tmp_path):
    _, plain, network = family
    surplus = plain.tensors | {"blocks.3.mobile_inverted_conv.depth_conv.gate": torch.ones(1)}
    torch.save({"state_dict": surplus}, tmp_path / "surplus")
    with pytest.raises(CheckpointMismatch, match=r"'blocks\.3\..*gate' is \(1,\), .* has none"):
        load_checkpoint(network, tmp_path / "surplus")
    fewer = {key: tensor for key, tensor in plain.tensors.items() if not key.endswith("bias")}
    torch.save({"state_dict": fewer}, tmp_path / "fewer")
    with pytest.raises(CheckpointMismatch, match=r"shift' is absent.*needs.*expected ofa_.*published at https://"):
        load_checkpoint(network, tmp_path / "fewer")


def test_one_place_filled_twice_is_refused(family):
    name, plain, _ = family
    twice = plain.tensors | {"classifier.linear.linear.linear.bias": torch.ones(1000)}
    with pytest.raises(CheckpointMismatch, match="twice"):
        published_for(name).translated(twice)


def test_a_file_of_another_network_is_told_which_space_it_fits(family, tmp_path):
    name, plain, _ = family
    torch.save(plain.tensors, tmp_path / "bare")
    other = next(other for other in FAMILIES if other != name)
    for network in (space_at(other, 128), load_space("fashion_mnist")):
        with pytest.raises(CheckpointMismatch, match=f"the file fits {name}: name that space"):
            load_checkpoint(ElasticNetwork(network), tmp_path / "bare")


def test_a_network_fine_tuned_on_other_classes_loads_where_the_space_has_them(family, tmp_path):
    _, plain, network = family
    few = {key: tensor[:10] if key.startswith("classifier.") else tensor for key, tensor in plain.tensors.items()}
    torch.save(few, tmp_path / "few")
    space = load_space(f"{network.space.name},classes=10")
    tuned = ElasticNetwork(space).requires_grad_(False)
    load_checkpoint(tuned, tmp_path / "few")
    images = formula_images(2, space.input_shape)
    assert torch.equal(tuned(images, tuned.largest), network(images, network.largest)[:, :10])
    with pytest.raises(CheckpointMismatch, match=r"fits .*classes=10, whose classifier tells 10 classes apart"):
        load_checkpoint(network, tmp_path / "few")


def test_our_own_file_of_another_space_is_told_which_it_fits():
    with pytest.raises(CheckpointMismatch, match="the file fits fashion_mnist: name that space"):
        load_checkpoint(ElasticNetwork(space_at("ofa_proxyless", 128)), SHIPPED / "fashion_mnist.safetensors")
