"""A graph that a device told survives being written; what an older worker left out is read as nothing."""

import json

import pytest

from gnomon.profilers.runtimes.graphs.fused_graph import FusedGraph, Primitive
from gnomon.profilers.runtimes.graphs.stored import graph_from_json, graph_to_json

GRAPH = FusedGraph(
    model=b"asked",
    is_own=False,
    primitives=(Primitive("Convolution", (0, 1), ("n0", "n1"), "brgconv", "acdb", turns=(-1, 0)),),
    values={"x": ("float32", (1, 3, 8, 8))},
    added={"Reorder": 2},
)


def test_a_graph_is_read_as_it_was_written():
    assert graph_from_json(json.loads(json.dumps(graph_to_json(GRAPH))), b"asked", None) == GRAPH


def test_a_worker_that_tells_no_turned_values_turns_none():
    told = json.loads(json.dumps(graph_to_json(GRAPH)))
    del told["primitives"][0]["turns"]
    assert graph_from_json(told, b"asked", None).primitives[0].turns == ()


@pytest.mark.parametrize("turn", [-2, "0", 1 << 60, None])
def test_turned_values_that_are_no_positions_are_refused(turn):
    told = json.loads(json.dumps(graph_to_json(GRAPH)))
    told["primitives"][0]["turns"] = [turn]
    with pytest.raises((ValueError, TypeError)):
        graph_from_json(told, b"asked", None)
