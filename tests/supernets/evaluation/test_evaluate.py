"""Evaluation knows super-networks by their protocol alone: here one that translates, and has no top-5."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from gnomon.supernets import load_space
from gnomon.supernets.errors import SupernetError
from gnomon.supernets.evaluation.evaluate import evaluate, evaluate_on_deciding
from gnomon.supernets.metric import BLEU, Answers


@dataclass
class Translator:
    space: object = field(default_factory=lambda: load_space("fashion_mnist"))
    metric: object = BLEU
    asked: list = field(default_factory=list)

    def answers(self, architecture, split, first=None):
        self.asked.append((architecture, split, first))
        return Answers((np.array(architecture.indices),))

    def score(self, answers, split):
        return float(answers.arrays[0].sum())


def test_each_architecture_is_asked_once_for_all_examples_and_in_order():
    supernet = Translator()
    rows = supernet.space.sample(3, np.random.default_rng(0))
    architectures = [supernet.space.architecture(row) for row in rows]
    found = list(evaluate(supernet, architectures, "validation"))
    assert supernet.asked == [(architecture, "validation", None) for architecture in architectures]
    assert [one.metrics for one in found] == [{"bleu": float(row.sum())} for row in rows]
    assert [one.macs for one in found] == list(supernet.space.macs(rows))
    assert [one.params for one in found] == list(supernet.space.params(rows))


def test_a_task_without_outcomes_has_no_deciding_examples():
    supernet = Translator()
    with pytest.raises(SupernetError, match=r"judged by bleu, .* evaluate it on all of them"):
        next(evaluate_on_deciding(supernet, [supernet.space.architecture(0 * supernet.space.radices)], "test", 0.1))


def test_nothing_is_evaluated_before_it_is_asked_for():
    supernet = Translator()
    architectures = [supernet.space.architecture(row) for row in supernet.space.sample(5, np.random.default_rng(0))]
    next(evaluate(supernet, architectures))
    assert len(supernet.asked) == 1
