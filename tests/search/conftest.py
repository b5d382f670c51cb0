from pathlib import Path

import pytest

from gnomon.search import SearchContext, search_in_context
from gnomon.search.testing.contracts import AnalyticSupernet, LinearLatency, fake_context
from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot


@pytest.fixture(scope="module")
def search(request):
    """Return a function that runs a search of stand-ins into a folder, by the test module's `CONFIG` unless told."""

    def run(folder, config=request.module.CONFIG, context=None, **options):
        return search_in_context(context or fake_context(), config, folder, provenance={}, **options)

    return run


@pytest.fixture(scope="module")
def whole(search, tmp_path_factory):
    """An uninterrupted run."""
    return search(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture(scope="session")
def trajectory():
    """Return a function that lists all that a run measured, where, and what was expected of it."""
    return lambda run: [
        (e.round, e.order, e.position, e.size, e.indices, e.share, e.values, e.expected) for e in run.evaluations
    ]


def block(kernel, runs):
    if not runs:
        return None
    return LayerSpec.of(
        "mbconv", (8, 8, 8), kernel=kernel, stride=1, mid_channels=16, out_channels=8, activation="relu",
        se_channels=0, residual=1,
    )  # fmt: skip


@pytest.fixture
def six():
    """A space of six networks written in eight ways: the second kernel has no effect when its block is left out."""
    choices = (Choice("kernel1", (3, 5)), Choice("kernel2", (3, 5)), Choice("depth", (1, 2)))
    first = Slot.tabulate("block1", choices, ["kernel1"], lambda kernel: block(kernel, True))
    second = Slot.tabulate("block2", choices, ["kernel2", "depth"], lambda kernel, depth: block(kernel, depth == 2))
    return SearchSpace("six", "none", (8, 8, 8), choices, (first, second))


@pytest.fixture
def six_context(six):
    return SearchContext(six, AnalyticSupernet(six), LinearLatency(six))


@pytest.fixture
def third_party(tmp_path_factory, monkeypatch):
    """Install the tactics of another package, here and (by PYTHONPATH) in processes started from here."""
    installed = tmp_path_factory.mktemp("site")
    info = installed / "multi_fidelity-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: multi_fidelity\nVersion: 1.0\n")
    builders = {"multi_fidelity": "build", "wasteful": "build_wasteful", "alternating": "build_alternating"}
    points = [f"{name} = multi_fidelity:{builder}" for name, builder in builders.items()]
    (info / "entry_points.txt").write_text("\n".join(["[gnomon.tactics]", *points]) + "\n")
    for folder in (str(installed), str(Path(__file__).parent / "third_party")):
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setenv("PYTHONPATH", folder, prepend=":")
