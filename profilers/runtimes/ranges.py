"""Which whole numbers a model takes, as its file says: an id that a table has no row for would crash the runtime.

A property of the model, ``gnomon.range.NAME``, holds ``LOW:HIGH`` of the input NAME: from LOW on, below HIGH. Not every
runtime hands a model's properties on, and there is no onnx package here; so they are read from the file's bytes, which
are protocol buffers: a message is fields, each a number, a kind and a value.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, Mapping, Tuple, Union

from ..errors import ModelRejected

Ranges = Mapping[str, Tuple[int, int]]

NO_RANGES: Ranges = {}
PREFIX = "gnomon.range."
PROPERTIES, KEY, VALUE = 14, 1, 2  # fields of a model, and of one of its properties
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # kinds of values
SIZES = {FIXED64: 8, FIXED32: 4}
RANGE = re.compile(r"([0-9]{1,19}):([0-9]{1,19})")


def ranges_of(model: bytes) -> Dict[str, Tuple[int, int]]:
    """Return the range of each input that the model gives one; raises `ModelRejected` for a range that is none."""
    found: Dict[str, Tuple[int, int]] = {}
    for name, text in properties_of(model).items():
        if not name.startswith(PREFIX):
            continue
        match = RANGE.fullmatch(text)
        if match is None or int(match.group(1)) >= int(match.group(2)):
            raise ModelRejected(f"the model says {name}={text!r}; expected LOW:HIGH, whole numbers, LOW below HIGH")
        found[name[len(PREFIX) :]] = (int(match.group(1)), int(match.group(2)))
    return found


def properties_of(model: bytes) -> Dict[str, str]:
    """Return a model's properties; of bytes that are no model, those before where it shows, if any.

    Such bytes are for the runtime to refuse, which says better why.
    """
    found: Dict[str, str] = {}
    view = memoryview(model)
    try:
        for number, value in fields_of(view):
            if number == PROPERTIES and isinstance(value, memoryview):
                pair = {inner: bytes(text).decode() for inner, text in fields_of(value) if isinstance(text, memoryview)}
                found[pair.get(KEY, "")] = pair.get(VALUE, "")
    except (IndexError, ValueError):
        pass
    return found


def fields_of(message: memoryview) -> Iterator[Tuple[int, Union[int, memoryview]]]:
    """Yield number and value of each field; raises IndexError or ValueError where there is no field."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == BYTES:
            size, at = _varint(message, at)
        elif kind in SIZES:
            size = SIZES[kind]
        else:
            raise ValueError(f"kind {kind} is of no field")
        if at + size > len(message):
            raise ValueError("a field ends beyond the message")
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> Tuple[int, int]:
    """Return the whole number that begins at a place, and the place behind it."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
