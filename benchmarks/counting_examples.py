"""How often does a search take partial evaluations for exact enough to count, where outcomes mean little or nothing?

    python benchmarks/counting_examples.py

Simulates the beginnings of searches: two pilots, looks at random networks on the least share of the examples that
decide, and some of them on a larger one. Networks guess, or differ in quality on examples of different difficulty, with
some of the labels wrong. Prints the share of the searches in which partial evaluations count, by the case and by the
budget.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from environment import print_environment

from gnomon.search import SearchConfig
from gnomon.search.acquisition.opening import AMPLE, LARGER, MODEST_PAIRS, MODEST_PARTIAL, PAIRS, TRIAL_PARTIAL
from gnomon.search.fronts.counting import counts_from
from gnomon.supernets.evaluation.deciding import DecidingExamples, Outcomes

SHARE: float = SearchConfig.model_fields["partial_share"].default
SEARCHES, BUDGETS = 300, (12, 25, 50)
Network = Callable[[np.random.Generator], Outcomes]


def guessing(examples: int, classes: int) -> Network:
    """Draw networks at chance, whose margins mean nothing."""

    def network(rng: np.random.Generator) -> Outcomes:
        return Outcomes(rng.random(examples) < 1 / classes, rng.random(examples).astype(np.float16))

    return network


def able(examples: int, wrong_labels: float, spread: float = 0.1, own: float = 0.1) -> Network:
    """Draw networks whose quality has a deviation `spread`, each with errors of its `own`, where examples have 1."""
    difficulty = np.random.default_rng(7).normal(-1.0, 1.0, examples)
    wrong = np.random.default_rng(8).random(examples) < wrong_labels

    def network(rng: np.random.Generator) -> Outcomes:
        margin = rng.normal(0.0, spread) - difficulty + rng.normal(0.0, own, examples)
        return Outcomes((margin > 0) != wrong, np.abs(margin).astype(np.float16))

    return network


CASES = {
    "guesses, 2,500 examples of 10 classes": guessing(2500, 10),
    "guesses, 100 examples of 10 classes": guessing(100, 10),
    "guesses, 10,000 examples of 1,000 classes": guessing(10_000, 1000),
    "able, 2,500 examples": able(2500, 0.0),
    "able, 2,500 examples, a tenth of the labels wrong": able(2500, 0.1),
    "able, 100 examples": able(100, 0.0),
}


def counts(network: Network, budget: int, seed: int) -> bool:
    """Tell whether partial evaluations count after the looks of a search."""
    rng = np.random.default_rng(seed)
    pairs, worth = (PAIRS, TRIAL_PARTIAL) if budget >= AMPLE else (MODEST_PAIRS, MODEST_PARTIAL)
    pilots = [network(rng), network(rng)]
    examples = DecidingExamples.of(pilots)
    networks = [network(rng) for _ in range(round(worth / SHARE))]
    partial = [
        (number, share, [examples.percent(one.at(examples.rows(share)))])
        for share, looked in ((SHARE, networks), (LARGER * SHARE, networks[:pairs]))
        for number, one in enumerate(looked)
    ]
    return counts_from({-1 - n: [pilot.percent] for n, pilot in enumerate(pilots)}, partial, budget) < 1.0


def main() -> None:
    """Simulate each case."""
    print_environment()
    for name, network in CASES.items():
        found = [np.mean([counts(network, budget, seed) for seed in range(SEARCHES)]) for budget in BUDGETS]
        said = ", ".join(f"budget {budget}: {100 * often:.1f} %" for budget, often in zip(BUDGETS, found))
        print(f"{name}: partial evaluations count in {said} of {SEARCHES} searches", flush=True)


if __name__ == "__main__":
    main()
