"""A space is named by an argument or by --space, in every verb alike."""

import importlib
import inspect

import pytest
import typer

from gnomon.cli.main import VERBS, app
from gnomon.cli.options.space import named_space, required_space
from gnomon.cli.verbs.build import files_and_space


def commands(group, path=()):
    """Yield every command below `group` with its path."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


OF_A_SPACE = {
    ("profile",), ("search",), ("train",), ("evaluate",), ("predict",), ("build",), ("bundle", "create"),
    ("space", "check"), ("lut", "check"), ("lut", "import"),
}  # fmt: skip


def test_every_verb_that_takes_a_space_takes_it_both_ways():
    found = set()
    for path, command in commands(typer.main.get_command(app)):
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
        arguments = {parameter.name for parameter in command.params if parameter.param_type_name == "argument"}
        if "--space" in options or "space" in arguments:
            found.add(path)
            assert "--space" in options, path
            assert arguments & {"space", "models"}, path
    assert found == OF_A_SPACE


@pytest.mark.parametrize(
    "arguments",
    [
        ("profile", "fashion_mnist", "--space", "bert_minilm"),
        ("search", "fashion_mnist", "--space", "bert_minilm", "--out", "x"),
        ("train", "fashion_mnist", "--space", "bert_minilm"),
        ("evaluate", "fashion_mnist", "--space", "bert_minilm"),
        ("bundle", "create", "fashion_mnist", "--space", "bert_minilm", "--out", "x"),
        ("space", "check", "fashion_mnist", "--space", "bert_minilm"),
        ("build", "fashion_mnist", "--space", "bert_minilm", "--arch", "largest", "--target", "sm86", "--out", "x"),
        ("lut", "import", "x.csv", "fashion_mnist", "--space", "bert_minilm", "--out", "x"),
    ],
)
def test_two_different_spaces_are_refused(gnomon, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = gnomon(*arguments)
    assert outcome.code == 2
    assert "two spaces are named, fashion_mnist and --space bert_minilm; name one" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_the_same_space_twice_is_one():
    assert named_space("a", "a", default=None) == "a"
    assert named_space(None, "a", default="b") == "a"
    assert named_space("a", None, default="b") == "a"
    assert named_space(None, None, default="b") == "b"
    with pytest.raises(typer.BadParameter, match="as gnomon train x"):
        required_space(None, None, example="gnomon train x")


def test_no_space_is_an_error_of_one_line(gnomon):
    outcome = gnomon("train")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert "gnomon train fashion_mnist" in outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("way", [("fashion_mnist",), ("--space", "fashion_mnist")])
def test_both_ways_do_the_same(gnomon, profile_name, way):
    predicted = gnomon("predict", profile_name, *way, "--arch", "largest", "--json")
    assert predicted.code == 0, predicted.err
    assert len(predicted.json["architectures"]) == 1
    assert gnomon("lut", "check", profile_name, *way, "--json").code == 0
    refused = gnomon("lut", "check", profile_name, way[0].replace("fashion_mnist", "bert_minilm"), *way[1:])
    assert (refused.code == 2) == (len(way) == 1)


def test_a_space_among_models_is_told_from_files(tmp_path):
    file = tmp_path / "a.onnx"
    file.write_bytes(b"")
    from pathlib import Path

    assert files_and_space([file, Path("fashion_mnist")], None, is_space=True) == ([file], "fashion_mnist")
    assert files_and_space([file], "fashion_mnist", is_space=True) == ([file], "fashion_mnist")
    assert files_and_space([Path("gone.onnx")], None, is_space=False) == ([Path("gone.onnx")], None)


def test_verbs_name_their_space_the_same_way():
    """Both parameters come from `options.space`, so that no verb reads them in a way of its own."""
    modules = [importlib.import_module(f"gnomon.cli.verbs.{verb}") for verb in VERBS]
    users = [module for module in modules if "space_option" in inspect.getsource(module)]
    assert users
    assert all("options.space import" in inspect.getsource(module) for module in users)


def test_a_space_without_a_task_says_so_and_sends_nobody_round(gnomon, tiny, tmp_path):
    for arguments in (
        ("search", "tiny", "--objectives", "accuracy,macs", "--out", tmp_path / "run"),
        ("train", "tiny"),
        ("evaluate", "tiny"),
    ):
        outcome = gnomon(*arguments)
        assert outcome.code == 2
        assert "has the task 'none'" in outcome.err, outcome.err
        assert "gnomon train" not in outcome.err


@pytest.mark.slow
def test_weights_without_a_recipe_are_not_said_to_be_trainable(gnomon):
    outcome = gnomon("evaluate", "ofa_resnet50")
    assert outcome.code == 2
    assert "there is no recipe" in outcome.err
    assert "gnomon train ofa_resnet50" not in outcome.err
    assert "gnomon train bert_minilm" in gnomon("evaluate", "bert_minilm").err


def test_data_that_are_not_there_are_named(gnomon):
    outcome = gnomon("evaluate", "fashion_mnist", "--data", "/nonexistent")
    assert outcome.code == 2
    assert "the folder of the data, /nonexistent, does not exist" in outcome.err
    assert "prepare" not in outcome.err
