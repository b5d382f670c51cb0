"""The Once-for-All spaces against published counts, and against formulas that share no code with the package."""

import math

import numpy as np
import pytest

from gnomon.supernets import InvalidArchitecture, load_space


def architecture_where(space, value_of):
    return space.architecture_of({choice.name: value_of(choice) for choice in space.choices})


def conv_counts(ins, outs, kernel, pixels, groups=1):
    """Parameters with batch norm's two, and MACs, of a convolution that leaves `pixels` a side."""
    weights = outs * ins // groups * kernel**2
    return np.array([weights + 2 * outs, weights * pixels**2])


def linear_counts(ins, outs):
    return np.array([(ins + 1) * outs, ins * outs])


def counts_of(space, architecture):
    return [space.params([architecture.indices])[0], space.macs([architecture.indices])[0]]


@pytest.mark.parametrize(("kernel", "expand", "depth", "resolution"), [(7, 6, 4, 224), (3, 3, 2, 224), (5, 4, 3, 132)])
def test_proxyless_counts_are_those_of_the_formula(kernel, expand, depth, resolution):
    pixels = math.ceil(resolution / 2)
    total = conv_counts(3, 40, 3, pixels) + conv_counts(40, 40, 3, pixels, 40) + conv_counts(40, 24, 1, pixels)
    ins = 24  # channels at width 1.3: 40, 24, then 32, 56, 104, 128, 248, 416, and 1664
    for outs, stride, blocks in (
        (32, 2, depth),
        (56, 2, depth),
        (104, 2, depth),
        (128, 1, depth),
        (248, 2, depth),
        (416, 1, 1),
    ):
        for step in (stride, *[1] * (blocks - 1)):
            mid = ins * expand
            total += conv_counts(ins, mid, 1, pixels)
            pixels = math.ceil(pixels / step)
            total += conv_counts(mid, mid, kernel, pixels, mid) + conv_counts(mid, outs, 1, pixels)
            ins = outs
    total += conv_counts(ins, 1664, 1, pixels) + linear_counts(1664, 1000)
    space = load_space(f"ofa_proxyless:resolution={resolution}")
    setting = {"kernel": kernel, "expand": expand, "depth": depth}
    architecture = architecture_where(space, lambda choice: setting[choice.name.partition(".")[0]])
    assert counts_of(space, architecture) == list(total)


#               width    stem    stages                  bottlenecks at 0.2, 0.25, 0.35 of each stage
RESNET_WIDTHS = {
    0.65: ((24, 40), (168, 336, 664, 1328), ((32, 40, 56), (64, 88, 120), (136, 168, 232), (264, 336, 464))),
    0.8: ((24, 48), (208, 408, 816, 1640), ((40, 56, 72), (80, 104, 144), (160, 208, 288), (328, 408, 576))),
    1.0: ((32, 64), (256, 512, 1024, 2048), ((48, 64, 88), (104, 128, 176), (208, 256, 360), (408, 512, 720))),
}


@pytest.mark.parametrize("width", RESNET_WIDTHS)
@pytest.mark.parametrize(("expand", "depth", "resolution"), [(0, 0, 224), (1, 1, 224), (2, 2, 132)])
def test_resnet_counts_are_those_of_the_formula(width, expand, depth, resolution):
    (inside, ins), stages, bottlenecks = RESNET_WIDTHS[width]
    pixels = math.ceil(resolution / 2)
    total = conv_counts(3, inside, 3, pixels) + conv_counts(inside, ins, 3, pixels)
    if depth == 2:
        total += conv_counts(inside, inside, 3, pixels)
    pixels = math.ceil(pixels / 2)
    for outs, mids, fewest, stride in zip(stages, bottlenecks, (2, 2, 4, 2), (1, 2, 2, 2)):
        mid = mids[expand]
        for block in range(fewest + depth):
            total += conv_counts(ins, mid, 1, pixels)
            pixels = math.ceil(pixels / stride) if block == 0 else pixels
            total += conv_counts(mid, mid, 3, pixels) + conv_counts(mid, outs, 1, pixels)
            if block == 0:
                total += conv_counts(ins, outs, 1, pixels)
            ins = outs
    total += linear_counts(ins, 1000)
    space = load_space(f"ofa_resnet50:resolution={resolution}")
    setting = {"width": width, "expand": (0.2, 0.25, 0.35)[expand], "depth": depth}
    architecture = architecture_where(space, lambda choice: setting[choice.name.partition(".")[0]])
    assert counts_of(space, architecture) == list(total)


def test_resnet50d_is_in_the_space_with_its_published_counts():
    # torchvision.models.resnet50: 25,557,032 parameters, 4.089 GMACs. ResNet-D has three 3x3 convolutions in place of
    # the 7x7: 19,232 parameters more, on 112x112 pixels 19,104 MACs a pixel more.
    space = load_space("ofa_resnet50")
    depths = {"depth.stem": 2, "depth.1": 1, "depth.2": 2, "depth.3": 2, "depth.4": 1}
    full = architecture_where(
        space, lambda choice: depths.get(choice.name, {"expand": 0.25, "width": 1.0}.get(choice.name.partition(".")[0]))
    )
    params, macs = counts_of(space, full)
    assert params == 25_557_032 + 19_232
    assert round((macs - 112**2 * 19_104) / 1e9, 3) == 4.089


def test_published_subnetworks_lie_between_the_ends():
    # The table of github.com/mit-han-lab/once-for-all: 30.9 and 9.6 million parameters; 4.1 and 0.6 billion MACs.
    small, large = load_space("ofa_resnet50:resolution=128"), load_space("ofa_resnet50")
    fewest, smallest = counts_of(small, architecture_where(small, lambda choice: choice.options[0]))
    most, largest = counts_of(large, architecture_where(large, lambda choice: choice.options[-1]))
    assert fewest < 9.6e6 < 30.9e6 < most
    assert smallest < 0.6e9 < 4.1e9 < largest


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("ofa_proxyless", ["kernel"] * 21 + ["expand"] * 21 + ["depth"] * 5),
        ("ofa_resnet50", ["depth"] * 5 + ["expand"] * 18 + ["width"] * 6),
    ],
)
def test_genes_stand_in_the_published_order(name, kinds):
    space = load_space(name)
    assert [choice.name.partition(".")[0] for choice in space.choices] == kinds
    assert all(len(choice.options) == 3 for choice in space.choices)


def test_options_that_round_to_the_same_layers_are_one():
    space = load_space("ofa_resnet50")
    names = [choice.name for choice in space.choices]
    row = space.radices - 1
    same = {"depth.stem": (0, 1), "width.stem.inside": (0, 1)}
    for name, options in same.items():
        rows = np.tile(row, (3, 1))
        rows[:, names.index(name)] = (*options, 2)
        assert len(np.unique(space.canonical(rows), axis=0)) == 2
        assert len(space.neighbours(space.architecture(rows[1]))) == len(space.neighbours(space.architecture(rows[2])))
        first, second, other = (space.architecture(row).id for row in rows)
        assert first == second != other
        assert np.array_equal(*space.one_hot(rows[:2]))
    assert space.values(space.architecture(np.ones_like(row)))["width.stem.inside"] == 0.65


def test_all_other_options_of_the_resnet_differ():
    space = load_space("ofa_resnet50")
    (origin,) = space.canonical([space.radices - 1])
    networks = {space.slot_specs(space.architecture(row)) for row in space.neighbours(space.architecture(origin))}
    assert len(networks) == 2 * len(space.choices) - 2


def test_a_fraction_outside_the_options_is_refused():
    space = load_space("ofa_resnet50")
    values = {choice.name: choice.options[0] for choice in space.choices} | {"expand.3.2": 0.3}
    with pytest.raises(InvalidArchitecture, match=r"expand.3.2=0.3 is outside .*\(0.2, 0.25, 0.35\)"):
        space.architecture_of(values)
