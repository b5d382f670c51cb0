import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from gnomon.search import Objective, SearchConfig
from gnomon.search.errors import MissingContext, UnknownName
from gnomon.search.prediction.surrogate import SURROGATES
from gnomon.search.problem.build import OBJECTIVES, build_objective
from gnomon.search.problem.context import SearchContext
from gnomon.search.tactic import TACTICS, Batch
from gnomon.search.testing.contracts import ObjectiveContract, SurrogateContract, TacticContract, fake_context
from gnomon.supernets import load_space
from gnomon.supernets.errors import PluginBroken
from gnomon.supernets.metric import ACCURACY, METRICS


class TestRegisteredObjectives(ObjectiveContract):
    @pytest.fixture(params=OBJECTIVES.names())
    def objective(self, request):
        context = fake_context()
        metric = METRICS.get(request.param, ACCURACY)
        return OBJECTIVES.load(request.param)(replace(context, supernet=replace(context.supernet, metric=metric)))


def test_another_tasks_metric_is_refused_with_the_right_one():
    with pytest.raises(MissingContext, match=r"judged by accuracy, not by bleu; .*`objectives=accuracy,latency`"):
        OBJECTIVES.load("bleu")(fake_context())


@dataclass(frozen=True)
class Depth(Objective):
    """A third party's objective."""

    space: object
    name: str = "depth"
    unit: str = "layers"
    direction: str = "min"
    costly: bool = False

    def values(self, indices):
        return np.array([len(self.space.layers(self.space.architecture(row))) for row in indices], dtype=float)


class TestOwnObjective(ObjectiveContract):
    @pytest.fixture
    def objective(self):
        return Depth(load_space("fashion_mnist"))


class TestRegisteredSurrogates(SurrogateContract):
    @pytest.fixture(params=SURROGATES.names())
    def surrogate(self, request):
        return SURROGATES.load(request.param)()


class TestRegisteredTactics(TacticContract):
    @pytest.fixture(params=TACTICS.names())
    def tactic(self, request):
        config = SearchConfig(space="fashion_mnist", tactic=request.param, population=8, inner_evaluations=200)
        return TACTICS.load(request.param)(config)


@dataclass(frozen=True)
class LeastSquares:
    """A third party's surrogate: the shortest coefficients that explain the targets."""

    def fit(self, features, targets, rng):
        mean = targets.mean()
        return FittedLeastSquares(mean, np.linalg.lstsq(features, targets - mean)[0])


@dataclass(frozen=True)
class FittedLeastSquares:
    mean: float
    coefficients: object

    def predict(self, features):
        return self.mean + features @ self.coefficients, None


class TestOwnSurrogate(SurrogateContract):
    @pytest.fixture
    def surrogate(self):
        return LeastSquares()


@dataclass(frozen=True)
class Neighbourhood:
    """A third party's tactic: the neighbours of what was measured last."""

    def ask(self, archive, n, rng, round):
        last = archive.indices[-1:]
        around = [archive.space.neighbours(archive.space.architecture(row)) for row in last]
        return Batch.of(archive.topped_up(np.concatenate([last, *around]), n, rng), len(archive.objectives))


class TestOwnTactic(TacticContract):
    @pytest.fixture
    def tactic(self):
        return Neighbourhood()


@pytest.mark.parametrize("registry", [OBJECTIVES, SURROGATES, TACTICS], ids=lambda registry: registry.kind)
def test_unknown_names_list_the_known_and_suggest_the_nearest(registry):
    known = registry.names()[0]
    with pytest.raises(UnknownName, match=f"did you mean '{known}'") as raised:
        registry.check(known + "x")
    assert raised.value.known == registry.names()


@pytest.mark.parametrize(("name", "hint"), [("accuracy", "`checkpoint`"), ("latency", "gnomon profile")])
def test_objectives_say_what_they_lack(name, hint):
    with pytest.raises(MissingContext, match=hint):
        OBJECTIVES.load(name)(SearchContext(load_space("fashion_mnist")))


def test_an_objective_of_another_package_is_found_by_entry_point(tmp_path, monkeypatch):
    (tmp_path / "depth_objective.py").write_text("def build(context):\n    return 'built for ' + context.space.name\n")
    info = tmp_path / "depth_objective-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: depth-objective\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gnomon.objectives]\ndepth = depth_objective:build\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "depth" in OBJECTIVES.names()
    assert OBJECTIVES.load("depth")(fake_context()) == "built for fashion_mnist"
    with pytest.raises(PluginBroken, match=r"expected a gnomon\.search\.Objective"):
        build_objective("depth", fake_context())


@pytest.mark.slow
def test_importing_search_loads_nothing_heavy():
    code = "import sys, gnomon.search; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"pymoo", "sklearn", "scipy", "torch", "pandas", "matplotlib", "onnxruntime", "openvino"}
    assert not {name.split(".")[0] for name in loaded} & heavy
