"""Hostile inputs made of good ones: bytes altered, and JSON with any of its values replaced, removed or repeated."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import numpy as np

from gnomon.profilers.journal import with_checksum

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 2**31, 2**63, 10**30, 10**400, -(10**30), 0.5, 1e308, 5e-324, -0.0),
    *(
        "",
        "NaN",
        "1",
        "²",
        "\x1b[31m",
        "a\nquality good",
        "../../etc/passwd",
        "=cmd|'/C calc'!A0",
        "\ud800",
        "x" * 5000,
    ),
    *([], {}, [[]], [1] * 300, {"a": {}}, [None], ["1"]),
)
PARTS = re.compile(rb"[\w.+-]+|\W")
RAW = 0.1  # of the files of JSON, their bytes are altered, which a checksum or the syntax finds mostly
AGAIN = 0.3  # of the lines that were changed, another value of theirs is
TEXTS = ("", "a", "0", "\x1b[2J", "é\u202e", "=", "../", "\n", "x" * 300)
WORDS = (
    *(
        "largest",
        "smallest",
        "random:3",
        "random:0",
        "random:²",
        "random:99999999999",
        "00000000",
        "-1",
        "0",
        "1e999",
        "nan",
    ),
    *(
        "knee",
        "best accuracy",
        "weights a=1",
        "latency<=2ms",
        "latency<=",
        "fashion_mnist",
        "ofa_mobilenetv3:1",
        "nosuch",
    ),
    *(
        "--json",
        "--all",
        "--force",
        "--arch",
        "--pick",
        "--spread",
        "--out",
        "--profile",
        "--space",
        "--help",
        "--explain",
    ),
    *(
        "--layers",
        "--format",
        "csv",
        "--strict",
        "--accept-findings",
        "--precision",
        "int8",
        "--threads",
        "--batch",
        "",
    ),
    *(
        "x" * 300,
        "\x1b[2J",
        "a/b",
        "/dev/zero",
        "/nonexistent/x",
        ".",
        "..",
        "-",
        "--",
        "---",
        "=",
        "é\u202e",
        "0x10",
        "1_0",
    ),
)


def altered(content: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with a few flipped, removed, repeated or replaced."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, max(1, len(data))))
        width = int(rng.choice([1, 1, 2, 8, 64, 1024]))
        how = int(rng.integers(0, 5))
        if how == 0 and data:
            data[at % len(data)] ^= 1 << int(rng.integers(0, 8))
        elif how == 1:
            del data[at : at + width]
        elif how == 2:
            data[at:at] = data[at : at + width]
        elif how == 3:
            data[at:at] = rng.bytes(min(width, 64))
        else:
            data[at : at + width] = str(VALUES[int(rng.integers(0, len(VALUES)))]).encode(errors="replace")[:5000]
    return bytes(data)


def changed(value: Any, rng: np.random.Generator) -> Any:
    """Return JSON with one value somewhere in it replaced, removed, repeated or renamed."""
    value = copy.deepcopy(value)
    at, parent, key = value, None, None
    while isinstance(at, (dict, list)) and len(at) and (parent is None or rng.random() < 0.8):
        parent, key = (
            at,
            list(at)[int(rng.integers(0, len(at)))] if isinstance(at, dict) else int(rng.integers(0, len(at))),
        )
        at = parent[key]
    if parent is None:
        return VALUES[int(rng.integers(0, len(VALUES)))]
    how = int(rng.integers(0, 10))
    if how == 0:
        del parent[key]
    elif how == 1 and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(at))
    elif how == 1:
        parent[str(key) + "x"] = parent.pop(key)
    elif how < 4:
        parent[key] = VALUES[int(rng.integers(0, len(VALUES)))]
    else:
        parent[key] = alike(at, parent, rng)
    return value


def alike(at: Any, parent: Any, rng: np.random.Generator) -> Any:
    """Return another value of the same type, one that the parent holds elsewhere perhaps."""
    others = [one for one in (parent.values() if isinstance(parent, dict) else parent) if type(one) is type(at)]
    if rng.random() < 0.3:
        return copy.deepcopy(others[int(rng.integers(0, len(others)))])
    if isinstance(at, bool):
        return not at
    if isinstance(at, int):
        return at + int(rng.choice([-1, 1, 1, 2, 7, 1000]))
    if isinstance(at, float):
        return at * float(rng.choice([0.5, 0.9, 1.1, 2, 1e3, 1e-3, 1e9, 1e-9]))
    if isinstance(at, str):
        return TEXTS[int(rng.integers(0, len(TEXTS)))] + at[int(rng.integers(0, len(at) + 1)) :]
    return VALUES[int(rng.integers(0, len(VALUES)))]


def retold(content: bytes, rng: np.random.Generator) -> bytes:
    """Return text with a few of its words, numbers and lines replaced, removed, repeated or exchanged."""
    parts = PARTS.findall(content) if rng.random() < 0.7 else content.splitlines(keepends=True)
    for _ in range(int(rng.integers(1, 4))):
        if not parts:
            return content
        at, other = (int(rng.integers(0, len(parts))) for _ in range(2))
        how = int(rng.integers(0, 5))
        if how == 0:
            del parts[at]
        elif how == 1:
            parts.insert(at, parts[other])
        elif how == 2:
            parts[at], parts[other] = parts[other], parts[at]
        elif how == 3:
            parts[at] = parts[other]
        else:
            parts[at] = str(VALUES[int(rng.integers(0, len(VALUES)))]).encode(errors="replace")
    return b"".join(parts)


def hostile_text(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a file of text with bytes of it altered, or with its words and lines."""
    return altered(content, rng) if rng.random() < 0.3 else retold(content, rng)


def hostile_json(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a file of JSON, or of a line of JSON each, with one of its lines changed, and signed if it was."""
    if rng.random() < RAW:
        return altered(content, rng)
    whole = content.count(b"\n") > 1 and content[:1] == b"{" and content.split(b"\n", 1)[0].endswith(b"}")
    lines = content.splitlines() if whole else [content]
    at = int(rng.integers(0, len(lines)))
    at = 0 if rng.random() < 0.2 else at
    line = json.loads(lines[at])
    signed = isinstance(line, dict) and line.pop("crc32", None) is not None
    line = changed(line, rng)
    while rng.random() < AGAIN:
        line = changed(line, rng)
    text = json.dumps(line).encode()
    lines[at] = with_checksum(text) if signed and text.endswith(b"}") and text != b"{}" else text
    if whole and rng.random() < 0.2:
        other, how = int(rng.integers(0, len(lines))), int(rng.integers(0, 3))
        if how == 0:
            lines.insert(other, lines[at])
        elif how == 1:
            lines[at], lines[other] = lines[other], lines[at]
        else:
            del lines[other]
    return b"\n".join(lines) + b"\n"
