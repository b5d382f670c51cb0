"""The settings of a profile, of a search and of its workers, each said once: default, bounds, and what it is for.

`SearchConfig`, `Workers`, `gnomon.profile` and the options of the command line are made from these tables. This file
imports nothing of the package and nothing slow, because `gnomon --help` has to be quick.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: a sentence of help, the default, and the kind of its value, or of each where there are several.

    A number is at least `least`, above `above` and at most `most`. Several values are given on the command line
    with `separator` between them, or by repeating the option; `option` is its name where it is not the setting's.
    """

    help: str
    default: Any
    kind: type = str
    least: float = -math.inf
    above: float = -math.inf
    most: float = math.inf
    separator: str = ""
    is_repeated: bool = False
    option: str = ""

    def fault(self, value: Any) -> str:
        """Return what was expected instead of a number out of bounds; empty for one within them, and for no number."""
        if not isinstance(value, (int, float)) or (self.least <= value <= self.most and self.above < value < math.inf):
            return ""
        bounds = {"at least": self.least, "above": self.above, "at most": self.most}
        finite = [f"{word} {bound:g}" for word, bound in bounds.items() if math.isfinite(bound)]
        return f"expected a finite number, {' and '.join(finite)}".rstrip()


SEARCH: Mapping[str, Setting] = {
    "objectives": Setting("What to optimise, in this order.", ("accuracy", "latency"), separator=","),
    "tactic": Setting("How to choose what to measure: gnomon, linas, evolutionary, random.", "gnomon"),
    "algorithm": Setting(
        "How linas and evolutionary breed: auto (ga for one objective, nsga2 for two, smsemoa for more), "
        "ga, cmaes, nsga2, agemoea2, smsemoa, moead, unsga3, ctaea.",
        "auto",
    ),
    "surrogate": Setting("Predictor of costly objectives (linas): ridge, svr, gp.", "ridge"),
    "population": Setting(
        "Full validations a round; by default what the tactic suits: gnomon 4, others 50.", None, int, least=1, most=1e6
    ),
    "partial_share": Setting(
        "Least share of the examples of a partial (low-fidelity) evaluation; 1: none.",
        0.1,
        float,
        above=0,
        most=1,
    ),
    "budget": Setting(
        "Cost of the run in full validations, never exceeded; a larger one continues a run.",
        250,
        int,
        least=1,
        most=1e9,
    ),
    "stop_after_s": Setting("Stop before the run has taken so many seconds.", None, float, above=0),
    "stop_gain": Setting(
        "Stop between rounds when the hypervolume gains a smaller share, as 0.001.", None, float, above=0
    ),
    "patience": Setting("Full validations over which `stop_gain` looks at the gain.", 20, int, least=1, most=1e9),
    "inner_evaluations": Setting("Predicted architectures a round (linas).", 20_000, int, least=1, most=1e8),
    "constraints": Setting("Bound that the front keeps, as latency<=2ms.", (), is_repeated=True, option="constraint"),
    "region": Setting("Where hypervolume counts, as latency<=12ms; nothing is forbidden.", (), is_repeated=True),
    "split": Setting("Examples that a task's metric is searched on: validation or test.", "validation"),
    "seed": Setting("Seed of all randomness.", 0, int, least=0),
}

WORKERS: Mapping[str, Setting] = {
    "executor": Setting(
        "Who evaluates sub-networks: local (this process), ray (workers here), ray://HOST:PORT (a cluster's workers).",
        "local",
    ),
    "workers": Setting("Workers; by default as many as fit.", None, int, least=1, most=1e6),
    "worker_cpus": Setting("CPUs that a worker takes; may be a part of one.", 1.0, float, least=0, most=1e6),
    "worker_gpus": Setting("GPUs that a worker takes; may be a part of one.", 0.0, float, least=0, most=1e6),
}

PROFILE: Mapping[str, Setting] = {
    "threads": Setting("Threads of the runtime.", 1, int, least=1),
    "batch": Setting("Images at a time.", 1, int, least=1),
    "precision": Setting("Precision of weights and activations: fp32, fp16, bf16, int8.", "fp32"),
    "networks": Setting("Whole networks that correct and verify the table.", 30, int, least=10),
    "time_cap_s": Setting("No further visits after this many seconds.", 600.0, float, least=1),
}
