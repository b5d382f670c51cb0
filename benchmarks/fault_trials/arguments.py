"""Hostile arguments of every verb, in this process, as far as its checks go: nothing is measured, trained or fetched.

The verbs and options are those that the command line itself knows. A verb ends where it would start a process, open a
connection, or import a runtime or torch; what takes none of these runs to its end.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import typer

from gnomon.cli import main

from .command import Tally
from .inputs import WORDS
from .models import small_model
from .small import SPACE
from .trial import Ended, tried, wrong
from .watch import STARTS, Watch
from .workload import FLEET

RESULTS = Path(__file__).parents[2] / "tests" / "profilers" / "samples" / "results-v4.jsonl"
UNEXPECTED = "the operating system refused"
RUNTIMES = frozenset(
    ("torch", "onnxruntime", "openvino", "tensorrt", "tensorrt_rtx", "ray", "mlflow", "wandb", "pymoo")
)
NOT_TRIED = ("doctor", "--serve", "--install-completion")  # they measure for seconds, or wait
PROFILES, SPACES, OUTPUTS = ("p.jsonl", "k.jsonl"), (SPACE, "fashion_mnist"), ("o.jsonl", "o.csv", "o.zip", "o", "run")
SUITABLE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("profile", "profiles", "a", "b", "source", "refresh"), PROFILES),
    **dict.fromkeys(("run", "subjects", "start_from"), ("run",)),
    **dict.fromkeys(("space", "space_option"), SPACES),
    **dict.fromkeys(("out", "save_config", "plot"), OUTPUTS),
    "file": ("t.csv", "b.zip", "fleet.toml", "p.jsonl"),
    "results": ("r.jsonl",),
    "config": ("c.toml",),
    "arch": ("largest", "random:3", "0,0,0", "smallest"),
    "pick": ("knee", "accuracy>=80", "best accuracy", "latency<=1ms"),
    "constraints": ("macs<=1e6", "latency<=2ms"),
    "objectives": ("accuracy,macs", "macs,params", "accuracy,latency"),
    "precision": ("fp32", "int8", "fp16"),
    "backend": ("onnxruntime", "openvino", "onnxruntime:cuda"),
    "tactic": ("random", "gnomon", "linas"),
    "executor": ("local", "ray"),
    "device": ("local", "ssh://nobody@nowhere.invalid"),
    "processor": ("cpu",),
    "split": ("validation", "test"),
    "name": ("csv", "parquet", "ofa_yaml"),
    "model_file": ("m.onnx",),
    "models": ("m.onnx",),
    "region": ("latency<=1ms", "macs=1e5..1e6"),
    "shape": ("1x3x32x32", "input=1x1x16x16"),
    "track": ("tensorboard", "mlflow"),
    "augmentation": ("none",),
    "time_cap_s": ("3", "45m"),
    "period": ("33ms",),
}  # what arguments and options of a name take; numbers go by their type
NUMBERS = ("1", "2", "3", "0", "-1", "0.5", "1e999", "nan", "99999999999999999999", "²", "")
FILES = (*PROFILES, *SPACES, *OUTPUTS, "run", "t.csv", "c.toml", "b.zip", "r.jsonl", "m.onnx", "fleet.toml", "nosuch")
SUITS, ASKED = 0.8, 0.3  # of what is typed, so much is what it is to be; so many of the options are typed
ENDINGS = {0: "ended well", 2: "refused", 3: "lacked something", 4: "refused a measurement", 5: "had no device"}
LIMIT_S = 10  # of processor time, since some verbs draw
CLEAN_EVERY = 200
STRAY = 0.15  # of the words are others than a verb has there


@dataclass(frozen=True)
class Parameter:
    """An argument of a verb, or an option: how it is typed ("" for an argument), and what it takes."""

    typed: str
    takes: tuple[str, ...]

    @staticmethod
    def of(parameter: Any, typed: str) -> Parameter:
        """Return one as the command line knows it."""
        if parameter.param_type_name == "option" and parameter.is_flag:
            return Parameter(typed, ())
        is_number = parameter.type_descriptor.annotation in (int, float)
        return Parameter(typed, SUITABLE.get(parameter.name) or (NUMBERS if is_number else FILES))

    def words(self, rng: np.random.Generator) -> list[str]:
        """Return what may be typed for it."""
        pool = self.takes if rng.random() < SUITS else (*WORDS, *FILES, *NUMBERS)
        value = [pool[int(rng.integers(0, len(pool)))]] if self.takes else []
        return [self.typed, *value] if self.typed else value


@dataclass(frozen=True)
class Verb:
    """A verb as it is typed, and its arguments and options."""

    words: tuple[str, ...]
    parameters: tuple[Parameter, ...]


def verbs_of(command: Any, words: tuple[str, ...] = ()) -> list[Verb]:
    """Return every verb of the command line, and the groups of verbs."""
    arguments = [Parameter.of(one, "") for one in command.params if one.param_type_name == "argument"]
    options = [
        Parameter.of(one, name)
        for one in command.params
        if one.param_type_name == "option"
        for name in one.opts
        if name not in NOT_TRIED
    ]
    found = [Verb(words, (*arguments, *options))]
    for name, inner in getattr(command, "commands", {}).items():
        found += verbs_of(inner, (*words, name)) if name not in NOT_TRIED else []
    return found


def hostile_arguments(verbs: list[Verb], rng: np.random.Generator) -> list[str]:
    """Return a verb with its arguments and some of its options, and perhaps some words that it does not have there."""
    verb = verbs[int(rng.integers(0, len(verbs)))]
    words = list(verb.words)
    for one in verb.parameters:
        if rng.random() < (ASKED if one.typed else SUITS):
            words += one.words(rng)
    while rng.random() < STRAY:
        words.insert(int(rng.integers(0, len(words) + 1)), WORDS[int(rng.integers(0, len(WORDS)))])
    return [word for word in words if word not in NOT_TRIED]


def run_quietly(arguments: list[str]) -> int:
    """Run a verb in this process and return its exit code; raises what a user would see as a traceback."""
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        code = main.run(arguments)
    if UNEXPECTED in said.getvalue():  # the door for what nobody expected: a user would see one line of it
        raise AssertionError(said.getvalue())
    return code


def ended_as(code: object) -> str:
    """Return what an exit code means; raises AssertionError for one that no verb may have here."""
    assert code in ENDINGS, f"exit code {code}"
    return ENDINGS[code]


def before_it_starts(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise Ended where a verb would measure, train or fetch."""
    if event in STARTS or (event == "import" and arguments[0].partition(".")[0] in RUNTIMES):
        raise Ended


def fuzz_arguments(inputs: int, folder: Path, rng: np.random.Generator, watch: Watch) -> Tally:
    """Run verbs with hostile arguments, in a folder outside of which nothing may change."""
    tally, place = Tally("hostile arguments of verbs"), folder / "inside" / "here"
    command = typer.main.get_command(main.app)  # made once: it takes longer than what is tried
    verbs, home, environment = verbs_of(command), Path.cwd(), dict(os.environ)
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR"):
        os.environ[name] = str(place / name.lower())
    try:
        for number in range(inputs):
            if number % CLEAN_EVERY == 0:
                laid_out(place, folder)
                os.chdir(place)
            words = hostile_arguments(verbs, rng)
            with watch.watching(before_it_starts), patch.object(main, "app", command):
                tried(tally, lambda words=words: run_quietly(words), words, limit_s=LIMIT_S, named=ended_as)
            if seen := watch.taken():
                wrong(tally, "did what no argument asks for", seen, words)
    finally:
        os.chdir(home)
        os.environ.clear()
        os.environ.update(environment)
    return tally


def laid_out(place: Path, folder: Path) -> None:
    """Make the folder of a trial anew, with good files that arguments may name."""
    shutil.rmtree(place, ignore_errors=True)
    for name in ("home", "xdg_cache_home", "xdg_config_home", "tmpdir"):
        (place / name).mkdir(parents=True)
    for name, source in (("p.jsonl", "small.jsonl"), ("k.jsonl", "k.jsonl"), ("t.csv", "t.csv"), ("b.zip", "b.zip")):
        if (folder / source).exists():
            shutil.copy(folder / source, place / name)
    shutil.copy(RESULTS, place / "r.jsonl")
    (place / "fleet.toml").write_text(FLEET)
    (place / "m.onnx").write_bytes(small_model())
    (place / "c.toml").write_text('space = "specks"\nbudget = 3\n')
    shutil.copytree(folder / "run_v5", place / "run")
