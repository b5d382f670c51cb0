"""From a super-network in one's own torch to a front: profiled for real, searched, trained, exported."""

import pytest

import gnomon
from gnomon.search import SearchConfig
from gnomon.supernets.training.recipe import Phase, Recipe
from gnomon.supernets.training.to_file import TrainingRequest, train_to_file


@pytest.fixture
def profiled(mixer, quick_policy, tmp_path):
    """A profile of the super-network on this device, measured in a child process."""
    return gnomon.profile("mixer_net", "onnxruntime", out=tmp_path / "p.jsonl", networks=10, policy=quick_policy)


@pytest.mark.slow
def test_own_blocks_are_profiled_and_searched_with_accuracies_told(mixer, profiled, tmp_path):
    assert {spec.key for spec in mixer.unique_layers()} == set(profiled.table.measurements)
    assert profiled.table.failures == {}
    config = SearchConfig(
        space="mixer_net", objectives=("accuracy", "latency", "macs"), tactic="random", budget=8, population=4
    )
    with gnomon.Study(config, tmp_path / "run", profile=profiled) as study:
        while not study.done:
            for trial in study.ask():
                study.tell(trial, accuracy=50.0 + trial.choices["width"] / 4 + trial.choices["depth"])
        front = study.front()
    names = [objective.name for objective in study.run.objectives]
    assert names == ["accuracy", "latency", "macs"]
    best = max(evaluation.values["accuracy"] for evaluation in study.run.evaluations)
    assert front.values[0][0] == best
    assert all(evaluation.values["latency"] > 0 for evaluation in study.run.evaluations)


@pytest.mark.slow
def test_own_blocks_train_by_their_recipe_and_export_what_torch_runs(mixer, profiled, full_data, tmp_path):
    quick = Recipe((Phase(1, 0.004),), batch=64)
    train_to_file(TrainingRequest("mixer_net", full_data, recipe=quick))
    config = SearchConfig(
        space="mixer_net", objectives=("accuracy", "latency"), tactic="random", budget=3, population=3
    )
    run = gnomon.run_search(config, tmp_path / "run", profile=profiled)
    assert all(0 <= evaluation.values["accuracy"] <= 100 for evaluation in run.evaluations)
    exported = gnomon.export(run, "knee", tmp_path / "exported", profile=profiled)
    assert (tmp_path / "exported" / "model.onnx").exists()
    assert exported.architecture.space == "mixer_net"
