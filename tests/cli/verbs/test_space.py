"""`gnomon space check` as an author of a super-network meets it: a file in the current folder, an installed name."""

import textwrap
from pathlib import Path

import pytest

THIRD_PARTY = Path(__file__).parents[2] / "third_party"
HEAD = "from torch import nn\nfrom gnomon.supernets.own_networks.adapter import Input, TorchSpace, block, layer\n"


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a module of the current folder and return its name; a new one each time, as Python keeps them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names = (f"net{number}_{tmp_path.name.replace('-', '_')}" for number in range(9))

    def write(text):
        name = next(names)
        (tmp_path / f"{name}.py").write_text(HEAD + textwrap.dedent(text))
        return name

    return write


@pytest.mark.slow
def test_the_example_of_the_documentation_passes(gnomon, monkeypatch):
    monkeypatch.chdir(THIRD_PARTY)
    monkeypatch.syspath_prepend(str(THIRD_PARTY))
    outcome = gnomon("space", "check", "mixer_net:MixerNet")
    assert outcome.code == 0, outcome.out
    assert "FAIL" not in outcome.out
    assert outcome.out.startswith("mixernet: 5 genes, 108 settings")
    assert "ok    the largest sub-network runs, and its graph gives what torch gives" in outcome.out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mixer_net", "fashion_mnist", "ofa_proxyless:resolution=128"])
def test_registered_names_are_checked_too(gnomon, mixer, name):
    outcome = gnomon("space", "check", name)
    assert outcome.code == 0, outcome.out


def test_a_failure_says_what_was_found_and_what_to_do_and_the_command_fails(gnomon, written):
    module = written("""
        class Act(nn.ReLU):
            def __init__(self, size):
                super().__init__()

        class Net(TorchSpace):
            input_shape = (2, 4, 4)
            choices = {"size": (1, 2)}

            @block
            def only(self, size):
                return layer(Act, size=size)

            @block
            def maybe(self, shape, size):
                return layer(Conv, channels=shape[0], width=5 - size)

        class Conv(nn.Conv2d):
            def __init__(self, channels, width):
                super().__init__(channels, width, 1)
    """)
    outcome = gnomon("space", "check", f"{module}:Net")
    assert outcome.code == 2
    assert "FAIL  the last options make the largest network" in outcome.out
    assert "Write each gene's options from small to large" in outcome.out
    assert "1 of the checks failed" in outcome.err


def test_a_block_that_does_not_run_is_named(gnomon, written):
    module = written("""
        class Conv(nn.Conv2d):
            def __init__(self, channels, width):
                super().__init__(channels, width, 1)

        class Net(TorchSpace):
            input_shape = (2, 4, 4)
            choices = {"width": (4, 8)}

            @block
            def stem(self, width):
                return layer(Conv, channels=3, width=width)
    """)
    outcome = gnomon("space", "check", f"{module}:Net")
    assert outcome.code == 2
    assert "block stem (width=4): layer module(2x4x4,channels=3" in outcome.err
    assert "cannot run on an input of (2, 4, 4): RuntimeError" in outcome.err


def test_batch_norm_that_cannot_be_calibrated_is_told(gnomon, written):
    module = written("""
        class Norm(nn.Module):
            def __init__(self, hidden):
                super().__init__()
                self.inner = nn.Sequential(nn.Linear(4, hidden), nn.SyncBatchNorm(hidden))

            def forward(self, x):
                return self.inner(x)

        class Net(TorchSpace):
            input_shape = (4,)
            choices = {"hidden": (4, 8)}

            @block
            def only(self, hidden):
                return layer(Norm, hidden=hidden)
    """)
    outcome = gnomon("space", "check", f"{module}:Net")
    assert outcome.code == 2
    assert "norm has SyncBatchNorm 'inner.1'; of norms that keep statistics, sub-networks can share" in outcome.out


RECOMMENDER = """
    class Table(nn.Embedding):
        def __init__(self, width):
            super().__init__(9, width)

    class Joined(nn.Module):
        def __init__(self):
            super().__init__()

        def forward(self, x, y):
            return x * y

    class Net(TorchSpace):
        inputs = {{"user": Input((), "int64", high=9), "item": Input((), "int64", high={high})}}
        choices = {{"width": (4, 8)}}

        @block(takes="user")
        def left(self, width):
            return layer(Table, width=width)

        @block(takes="item")
        def right(self, width):
            return layer(Table, width=width)

        @block(takes=("left", "{second}"))
        def joined(self):
            return layer(Joined)
"""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"second": "rihgt", "high": 9},
            "block joined takes 'rihgt', which is no input and no block; it can take",
        ),
        ({"second": "joined", "high": 9}, "block joined takes itself, and a network has no cycles"),
        ({"second": "item", "high": 9}, "no block of net takes what block right gives"),
        ({"second": "right", "high": 10}, "IndexError: index out of range in self; expected a layer that runs on all"),
    ],
)
def test_what_is_wrong_with_named_values_is_told(gnomon, written, values, message):
    outcome = gnomon("space", "check", f"{written(RECOMMENDER.format(**values))}:Net")
    assert outcome.code == 2
    assert message in outcome.out + outcome.err


def test_named_values_pass(gnomon, written):
    assert gnomon("space", "check", f"{written(RECOMMENDER.format(second='right', high=9))}:Net").code == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module:Net", "No module named 'no_such_module'; expected MODULE:CLASS"),
        ("json:Net", "has no attribute 'Net'"),
        ("no_such_space", "unknown space 'no_such_space'"),
    ],
)
def test_what_cannot_be_loaded_is_a_usage_error(gnomon, name, message):
    outcome = gnomon("space", "check", name)
    assert outcome.code == 2
    assert message in outcome.err


def test_a_file_with_an_error_is_no_traceback(gnomon, written):
    module = written("1 / 0")
    outcome = gnomon("space", "check", f"{module}:Net")
    assert outcome.code == 2
    assert "ZeroDivisionError" in outcome.err
