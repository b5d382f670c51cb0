import numpy as np
import pytest

from gnomon.supernets import InvalidArchitecture, load_space
from gnomon.supernets.space.space import with_setting

NAME = "fashion_mnist:mode=slow+quick+safe"


@pytest.fixture
def space():
    return with_setting(load_space("fashion_mnist"), "mode", ("slow", "quick", "safe"))


def test_a_setting_is_one_more_choice_that_the_name_and_the_digest_say(space):
    network = load_space("fashion_mnist")
    assert (space.name, space.network) == (NAME, network)
    assert [choice.name for choice in space.settings] == ["mode"]
    assert space.size == 3 * network.size
    assert space.digest != network.digest
    assert (network.settings, network.network) == ((), network)


def test_no_setting_is_ever_inactive_and_no_two_options_are_equal(space):
    rows = space.sample(64, np.random.default_rng(0))
    assert space.active(rows)[:, -1].all()
    assert set(rows[:, -1]) == {0, 1, 2}
    assert np.array_equal(space.canonical(rows), rows)
    assert np.array_equal(space.networks(rows), space.network.canonical(rows[:, :-1]))


def test_a_setting_changes_no_layer_and_no_count(space):
    rows = space.sample(8, np.random.default_rng(0))
    for row in rows:
        layers = space.layers(space.architecture(row))
        assert layers == space.network.layers(space.network.architecture(row[:-1]))
    assert np.array_equal(space.macs(rows), space.network.macs(rows[:, :-1]))
    assert space.unique_layers() == space.network.unique_layers()


def test_neighbours_and_one_hot_know_the_setting(space):
    architecture = space.architecture([0] * len(space.choices))
    changed = [row for row in space.neighbours(architecture) if row[-1]]
    assert [int(row[-1]) for row in changed] == [1, 2]
    assert space.one_hot([architecture.indices])[0, -3:].tolist() == [1.0, 0.0, 0.0]


def test_settings_are_read_off_rows(space):
    rows = np.zeros((3, len(space.choices)), dtype=np.int64)
    rows[:, -1] = [2, 0, 1]
    assert space.setting("mode", rows) == ("safe", "slow", "quick")
    with pytest.raises(InvalidArchitecture, match="no setting 'speed'; it has mode"):
        space.setting("speed", rows)


def test_two_settings_can_be_had_at_once(space):
    both = with_setting(space, "threads", (1, 2))
    assert both.name == NAME + ",threads=1+2"
    assert [choice.name for choice in both.settings] == ["mode", "threads"]
    assert both.network == space.network
