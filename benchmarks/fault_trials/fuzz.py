"""Hostile inputs to every reader, in this process: each is read, or refused by an error of Gnomon's.

They are made of good files, small ones mostly, so that each takes a millisecond or a few: bytes, words and lines
altered, values of JSON replaced and checksums made anew, and records that hypothesis builds from published schemas.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from .arguments import fuzz_arguments
from .built import built_lines, in_place_of
from .bundles import hostile_bundle
from .command import Tally
from .inputs import hostile_json, hostile_text
from .models import hostile_model
from .readers import Reader, readers
from .trial import bounded_memory, tried, wrong
from .watch import Watch

SLOW = {
    **dict.fromkeys(("run.json", "evaluations", "stop.json", "final.jsonl", "results", "CSV table", "YAML table"), 2),
    **{"profile": 4, "bundle": 4, "weights": 8, "arguments": 100},
}  # readers that get so many times fewer inputs, as one takes that much longer
LARGE = 0.002  # of the inputs are made of another good file than the small one
BUILT = 0.03  # of the inputs of a reader whose schema is published are built by hypothesis
BUILT_AT_ONCE = 200
KEPT_FIELD = 0.6  # of a record that was built, so many fields remain as they were
FURTHER = 0.03  # of the inputs that were read are asked for all that takes longer, too


def fuzz(names: list[str], inputs: int, folder: Path, rng: np.random.Generator) -> Iterator[Tally]:
    """Give so many inputs to each of the readers, and to verbs as arguments."""
    found, watch = readers(folder), Watch(folder)
    with bounded_memory():
        for name in names:
            began_s, number = time.monotonic(), max(1, inputs // SLOW.get(name, 1))
            if name == "arguments":
                tally = fuzz_arguments(number, folder, rng, watch)
            else:
                tally = fuzz_reader(name, found[name], number, folder, rng, watch)
            print(f"  {number / (time.monotonic() - began_s):.0f} a second", file=sys.stderr, flush=True)
            yield tally


def fuzz_reader(name: str, reader: Reader, number: int, folder: Path, rng: np.random.Generator, watch: Watch) -> Tally:
    """Give so many inputs to a reader; its good file is there again afterwards."""
    tally, path = Tally(f"hostile {name}"), folder / reader.file
    for content in reader.contents[::-1]:  # what is imported late is imported now, and not on account of an input
        path.write_bytes(content)
        reader.read(path)
    lies_there = {one.name for one in path.parent.iterdir()}
    built = records_built(reader.schema, rng)
    for _ in range(number):
        content = reader.contents[0]
        if rng.random() < LARGE or name == "architectures":
            content = reader.contents[int(rng.integers(0, len(reader.contents)))]
        if reader.schema and rng.random() < BUILT:
            hostile = in_place_of(
                content, next(built), int(rng.integers(0, 1000)), lambda: bool(rng.random() < KEPT_FIELD)
            )
        else:
            hostile = (reader.hostile or hostile_of(content))(content, rng)
        path.write_bytes(hostile)
        read = reader.further if reader.further is not None and rng.random() < FURTHER else reader.read
        with watch.watching():
            tried(tally, lambda read=read: read(path), hostile)
        if seen := watch.taken():
            wrong(tally, "did what no reader does", seen, hostile)
    path.write_bytes(reader.contents[0])
    if left := {one.name for one in path.parent.iterdir()} - lies_there:
        wrong(tally, "left behind", f"{left}", "one of many")
    return tally


def records_built(schema: str, rng: np.random.Generator) -> Iterator[dict[str, object]]:
    """Yield records of a schema without end, as hypothesis builds them."""
    while schema:
        yield from built_lines(schema, BUILT_AT_ONCE, int(rng.integers(0, 2**31)))


def hostile_of(content: bytes) -> Callable[[bytes, np.random.Generator], bytes]:
    """Return what makes hostile inputs of such a file: by its first bytes."""
    return {b"{": hostile_json, b"P": hostile_bundle, b"\x08": hostile_model}.get(content[:1], hostile_text)
