import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.supernets import (
    Choice,
    InvalidArchitecture,
    LayerSpec,
    SearchSpace,
    Slot,
    UnknownSpace,
    load_space,
    space_names,
)
from gnomon.supernets.space.space import Architecture
from gnomon.supernets.testing import SpaceContract

VARIANTS = [
    *space_names(),
    "ofa_mobilenetv3:width=1.2",
    "ofa_mobilenetv3:resolution=160",
    "ofa_proxyless:resolution=132",
    "ofa_resnet50:resolution=132",
]


class TestRegisteredSpaces(SpaceContract):
    @pytest.fixture(params=VARIANTS)
    def space(self, request):
        return load_space(request.param)


def test_ofa_counts_are_the_published_ones():
    # The first rows of the search logs that DyNAS-T published (Apache-2.0); all rows: benchmarks/ofa_reference.py.
    space = load_space("ofa_mobilenetv3")
    rows = csv.DictReader((Path(__file__).parents[1] / "spaces" / "ofa_reference.csv").read_text().splitlines())
    for row in rows:
        genes = [*map(int, row["kernel"] + row["expand"] + row["depth"])]
        names = [choice.name for choice in space.choices]
        architecture = space.architecture_of(dict(zip(names, genes)))
        assert space.params([architecture.indices])[0] == int(row["params"])
        assert space.macs([architecture.indices])[0] == int(row["macs"])


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(st.integers(0, 2), min_size=n, max_size=n), min_size=1)))
@settings(max_examples=50, deadline=None)
def test_options_are_one_exactly_where_every_slot_holds_the_same(kernels_of_slots):
    # A fractional gene that decides several slots, each by a table of its own.
    choice = Choice("width", tuple(1 - 0.125 * option for option in range(len(kernels_of_slots[0]))))
    slots = [
        Slot.tabulate(
            f"slot{position}",
            [choice],
            ["width"],
            lambda value, kernels=kernels: LayerSpec.of("stem", (3, 8, 8), kernel=kernels[choice.options.index(value)]),
        )
        for position, kernels in enumerate(kernels_of_slots)
    ]
    space = SearchSpace("any", "none", (3, 8, 8), (choice,), tuple(slots))
    canonical = space.canonical(np.arange(len(choice.options))[:, None])[:, 0]
    networks = list(zip(*kernels_of_slots))
    assert list(canonical) == [networks.index(network) for network in networks]


def test_fashion_mnist_is_large_and_its_extremes_are_far_apart():
    space = load_space("fashion_mnist")
    smallest, largest = space.macs([[0] * len(space.choices), list(space.radices - 1)])
    assert largest >= 5 * smallest
    blocks_of_stage = [sum(6**depth for depth in stage) for stage in ((1, 2), (1, 2, 3, 4), (1, 2, 3, 4))]
    assert np.prod([width * blocks for width, blocks in zip((2, 3, 3), blocks_of_stage)]) >= 1e9


def test_unknown_space_suggests_the_nearest():
    with pytest.raises(UnknownSpace, match=r"did you mean 'fashion_mnist'"):
        load_space("fashion_mnits")


def test_unknown_space_option_lists_the_known():
    with pytest.raises(UnknownSpace, match="width, resolution"):
        load_space("ofa_mobilenetv3:depth=3")


@pytest.mark.parametrize(
    "name",
    [
        "ofa_mobilenetv3:resolution=130",
        "ofa_mobilenetv3:width=2.0",
        "ofa_proxyless:resolution=124",
        "ofa_proxyless:width=1.0",
        "ofa_resnet50:resolution=256",
    ],
)
def test_unpublished_option_values_are_refused(name):
    with pytest.raises(UnknownSpace, match=f"{name.partition(':')[0]} has no"):
        load_space(name)


def test_unparsable_option_value_is_refused():
    with pytest.raises(UnknownSpace, match="resolution='large' is not int"):
        load_space("ofa_mobilenetv3:resolution=large")


def test_unknown_choice_suggests_the_nearest():
    with pytest.raises(InvalidArchitecture, match=r"did you mean 'kernel.1.1'"):
        load_space("fashion_mnist").architecture_of({"kernl.1.1": 3})


def test_option_outside_the_choice_is_refused():
    space = load_space("fashion_mnist")
    values = {choice.name: choice.options[0] for choice in space.choices} | {"kernel.1.1": 9}
    with pytest.raises(InvalidArchitecture, match=r"kernel.1.1=9 is outside fashion_mnist; its options are \(3, 5\)"):
        space.architecture_of(values)


def test_architecture_of_another_space_is_refused():
    fashion, ofa = load_space("fashion_mnist"), load_space("ofa_mobilenetv3")
    with pytest.raises(InvalidArchitecture, match="not 'ofa_mobilenetv3'"):
        ofa.layers(fashion.architecture([0] * len(fashion.choices)))


@pytest.mark.parametrize("rows", [[[0.5] * 26], [0] * 26, [[0, 1]]])
def test_malformed_arrays_are_refused(rows):
    with pytest.raises(InvalidArchitecture):
        load_space("fashion_mnist").canonical(rows)


@pytest.mark.slow
def test_digest_and_ids_are_the_same_in_every_process():
    code = (
        "from gnomon.supernets import load_space; s = load_space('fashion_mnist');"
        "print(s.digest, s.architecture([1] * 26).id)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_an_architecture_of_a_space_whose_name_is_no_text_has_an_id_too():
    assert len(Architecture("\ud800", (0, 1)).id) == 8
