"""Runs and profiles to report on. Accuracies are told by a formula, so that no network is run; latencies are real."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `browser`

import gnomon
from gnomon.lut import load_profile, shipped_profiles
from gnomon.reports.html.report import write_report
from gnomon.supernets.registry import load_space


@pytest.fixture(scope="session")
def profile():
    return load_profile(
        next(name for name in shipped_profiles() if name.startswith("fashion_mnist/") and ".onnxruntime." in name)
    )


def studied(profile, folder, *, seed=0, budget=18):
    """Search accuracy against latency, told as grows with the logarithm of the parameters, some luck included."""
    config = gnomon.SearchConfig(space="fashion_mnist", budget=budget, seed=seed, partial_share=1.0)
    with gnomon.Study(config, folder, profile=profile) as study:
        space, luck = load_space("fashion_mnist"), np.random.default_rng(seed)
        while not study.done:
            for trial in study.ask():
                params = float(space.params([trial.architecture.indices])[0])
                study.tell(trial, accuracy=70 + 2 * np.log(params) + luck.normal(0, 0.2))
    return gnomon.load_run(folder)


@pytest.fixture(scope="session")
def reported_run(profile, tmp_path_factory):
    """A finished run of the tactic gnomon."""
    return studied(profile, tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="session")
def other():
    """The name of a profile of the same space in another runtime."""
    return next(name for name in shipped_profiles() if name.startswith("fashion_mnist/") and ".openvino." in name)


@pytest.fixture(scope="session")
def page_file(reported_run, other, tmp_path_factory):
    """The report of the run, priced for the other profile too."""
    return write_report([reported_run, other], tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="session")
def many_points(reported_run):
    """Return a function that makes a run of n evaluated networks."""

    def made(n):
        rng, space = np.random.default_rng(0), reported_run.space()
        rows = np.unique(space.sample(2 * n + 10, rng), axis=0)
        rows = rows[rng.permutation(len(rows))[:n]]
        latencies = load_profile("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1").latency.value_us(rows)
        first = reported_run.evaluations[0]
        evaluations = tuple(
            first.model_copy(
                update={
                    "indices": tuple(map(int, row)),
                    "id": space.architecture(row).id,
                    "values": {"accuracy": float(70 + 4 * np.log(us) + rng.normal()), "latency": float(us)},
                    "order": number,
                }
            )
            for number, (row, us) in enumerate(zip(rows, latencies))
        )
        return replace(reported_run, evaluations=evaluations, stop=None)

    return made


@pytest.fixture
def empty_run(reported_run):
    return replace(reported_run, evaluations=(), stop=None)
