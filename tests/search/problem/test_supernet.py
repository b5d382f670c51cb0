from dataclasses import replace

import pytest

from gnomon.search import SearchConfig, search_in_context
from gnomon.search.errors import MissingContext
from gnomon.search.problem.build import build_objective
from gnomon.search.problem.supernet import InFp32, searchable
from gnomon.search.testing.contracts import fake_context
from gnomon.supernets.metric import ACCURACY

CONTEXT = fake_context()
CONFIG = SearchConfig(space="fashion_mnist", objectives=("accuracy", "macs"), tactic="random", budget=3, population=3)


class Trainer:
    """A super-network of a user's own, who has not heard of precisions."""

    metric = ACCURACY

    def evaluate(self, architecture, split, share=1.0):
        return CONTEXT.supernet.evaluate(architecture, split, share)


class Exporter(Trainer):
    checkpoint_sha256 = "a" * 64

    def models(self, architecture, *, batch=1):
        return ("part", batch)


def test_a_super_network_that_knows_no_precision_is_searched_in_fp32(tmp_path):
    context = replace(CONTEXT, supernet=Trainer())
    ours, theirs = (search_in_context(one, CONFIG, tmp_path / name, provenance={}) for name, one in
                    (("ours", context), ("theirs", CONTEXT)))  # fmt: skip
    assert [e.values for e in ours.evaluations] == [e.values for e in theirs.evaluations]


def test_it_is_not_searched_in_another_precision():
    context = replace(CONTEXT, supernet=Trainer(), precision="int8")
    with pytest.raises(MissingContext, match="known in fp32, not in int8"):
        build_objective("accuracy", context)


def test_what_it_has_besides_is_used_and_what_it_lacks_is_said():
    architecture = CONTEXT.space.architecture([0] * 26)
    assert InFp32(Trainer()).models(architecture) is None
    assert InFp32(Trainer()).checkpoint_sha256 is None
    assert InFp32(Exporter()).models(architecture, batch=2) == ("part", 2)
    assert InFp32(Exporter()).checkpoint_sha256 == "a" * 64
    for refused in ("models", "evaluate"):
        arguments = ("validation",) if refused == "evaluate" else ()
        with pytest.raises(MissingContext, match="not in int8"):
            getattr(InFp32(Exporter()), refused)(architecture, *arguments, precision="int8")


def test_one_that_says_its_precisions_is_taken_as_it_is():
    assert searchable(CONTEXT.supernet) is CONTEXT.supernet
    assert searchable(None) is None
