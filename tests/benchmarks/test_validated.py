"""True validations of the embedded super-network, kept in a file."""

import json

import numpy as np
import pytest
from search_harness.validated import Validated


@pytest.fixture
def landscape(tmp_path):
    return Validated(tmp_path / "validations.jsonl")


def test_a_validation_is_done_once_and_survives_the_process(landscape):
    smallest = np.zeros((1, len(landscape.space.choices)), dtype=np.int64)
    first = landscape.validated(smallest, 0.1, seed=0)
    order, record = map(json.loads, landscape.cache.read_text().splitlines())
    assert landscape.order_seconds == order["seconds"] > 0
    assert (record["share"], record["examples"]) == (0.1, "")
    assert record["seconds"] > 0
    landscape.cache.write_text(json.dumps({**record, "top1_percent": 12.5}) + '\n{"genes": "torn')
    reopened = Validated(landscape.cache)
    assert reopened.validated(smallest, 0.1, seed=7) == [12.5]
    assert first == pytest.approx(landscape.supernet.evaluate(landscape.space.architecture(smallest[0]), share=0.1))


def test_a_run_goes_on_after_a_kill_in_the_middle_of_writing(landscape):
    for genes in ("00", "01"):
        landscape.keep({"genes": genes, "share": 1.0, "examples": "", "top1_percent": 50.0, "seconds": 1.0})
    with landscape.cache.open("a") as file:
        file.write('{"genes": "torn')
    reopened = Validated(landscape.cache)
    assert set(reopened.known) == {("00", 1.0, ""), ("01", 1.0, "")}
    reopened.keep({"genes": "02", "share": 1.0, "examples": "", "top1_percent": 60.0, "seconds": 1.0})
    assert [genes for genes, _, _ in Validated(landscape.cache).known] == ["00", "01", "02"]


@pytest.mark.slow
def test_a_pilot_is_validated_once_whatever_its_unused_genes_say(landscape):
    smallest = np.zeros((1, len(landscape.space.choices)), dtype=np.int64)
    unused = next(
        at
        for at in range(smallest.shape[1])
        if (landscape.space.canonical(smallest + np.eye(smallest.shape[1], dtype=np.int64)[at]) == smallest).all()
    )
    other = smallest.copy()
    other[0, unused] = 1
    outcomes = landscape.outcomes(other[0])
    assert landscape.top1(other) == landscape.top1(smallest) == [outcomes.percent]
    assert len(landscape.cache.read_text().splitlines()) == 1


def test_the_best_known_is_that_of_everything_validated_in_full(landscape):
    assert landscape.best_known() == 0.0
    rows = landscape.space.canonical(np.array([np.zeros_like(landscape.space.radices), landscape.space.radices // 2]))
    for row, top1, share in zip(rows, (90.0, 99.0), (1.0, 0.5)):
        key = "".join(map(str, row)), share, ""
        landscape.known[key] = {"genes": key[0], "share": share, "examples": "", "top1_percent": top1, "seconds": 1.0}
    worst_top1, worst_price = landscape.reference
    expected = (90.0 - worst_top1) * (worst_price - landscape.price(rows[:1])[0])
    assert landscape.best_known() == pytest.approx(expected)
