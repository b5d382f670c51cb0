"""Records that hypothesis builds from the JSON Schemas of Gnomon's files: valid by themselves, whatever they say.

So what lies behind the checks of single fields is reached: a record takes the place of one in a good file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from gnomon.profilers.journal import CHECKSUM, with_checksum

SCHEMAS = Path(__file__).parents[2] / "schemas"
FEW = 4  # entries of a list or a mapping that has no bound
TEXTS = st.sampled_from(("", "a", "anchor:a", "fp32", "cpu", "accuracy", "latency", "\x1b[2J", "../x", "²", "0" * 300))
NUMBERS = st.sampled_from((0, 1, -1, 0.5, 1e-6, 1e12, 2**31, 2**53, 10**30, 1e308, 5e-324))
ANYTHING = st.none() | st.booleans() | NUMBERS | TEXTS


def schema_of(name: str) -> dict[str, Any]:
    """Return a schema by the name of its file."""
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    return found


def definitions_in(schema: Any) -> dict[str, Any]:
    """Return what a schema defines, at any depth, by name."""
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    found = dict(schema.get("$defs", {})) if isinstance(schema, dict) else {}
    for one in inner:
        found |= definitions_in(one)
    return found


def values_of(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Return the values that a schema allows, as far as one can be told how to build them."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return st.deferred(lambda: values_of(definitions[name], definitions))
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return st.one_of(*(values_of(one, definitions) for one in schema[choice]))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    makers: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], st.SearchStrategy[Any]]] = {
        "object": objects,
        "array": arrays,
        "integer": integers,
        "number": numbers,
    }
    plain = {"string": texts(schema), "boolean": st.booleans(), "null": st.none()}
    kind = schema.get("type")
    if isinstance(kind, list):
        return st.one_of(*(values_of({**schema, "type": one}, definitions) for one in kind))
    if kind in makers:
        return makers[kind](schema, definitions)
    return plain.get(str(kind), ANYTHING)


def texts(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    """Return texts within the bounds of a schema."""
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    least, most = schema.get("minLength", 0), schema.get("maxLength", 30)
    return st.text(min_size=least, max_size=most) if least or "maxLength" in schema else TEXTS | st.text(max_size=12)


def integers(schema: Mapping[str, Any], _: Mapping[str, Any]) -> st.SearchStrategy[int]:
    """Return whole numbers within the bounds of a schema."""
    least, most = schema.get("minimum", -(2**64)), schema.get("maximum", 2**64)
    least = schema["exclusiveMinimum"] + 1 if "exclusiveMinimum" in schema else least
    most = schema["exclusiveMaximum"] - 1 if "exclusiveMaximum" in schema else most
    return st.integers(least, min(most, least + 3)) | st.integers(least, most)


def numbers(schema: Mapping[str, Any], _: Mapping[str, Any]) -> st.SearchStrategy[float]:
    """Return finite numbers within the bounds of a schema."""
    least, most = (schema.get(name, schema.get(f"exclusive{name.capitalize()}")) for name in ("minimum", "maximum"))
    return st.floats(
        None if least is None else float(least),
        None if most is None else float(most),
        allow_nan=False,
        allow_infinity=False,
        exclude_min="exclusiveMinimum" in schema,
        exclude_max="exclusiveMaximum" in schema,
    )


def arrays(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> st.SearchStrategy[list[Any]]:
    """Return lists whose items a schema allows."""
    if "prefixItems" in schema:
        return st.tuples(*(values_of(one, definitions) for one in schema["prefixItems"])).map(list)
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", least + FEW), least + FEW)
    return st.lists(values_of(schema.get("items", {}), definitions), min_size=least, max_size=most)


def objects(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with the fields of a schema, those that it requires and some of the others."""
    fields = {name: values_of(one, definitions) for name, one in schema.get("properties", {}).items()}
    fixed = [name for name, one in schema.get("properties", {}).items() if "const" in one]  # they say what it is
    required = {
        name: fields.pop(name) for name in dict.fromkeys((*schema.get("required", ()), *fixed)) if name in fields
    }
    named = st.fixed_dictionaries(required, optional=fields)
    others = schema.get("additionalProperties")
    if not isinstance(others, Mapping) or schema.get("properties"):
        return named
    return st.dictionaries(TEXTS | st.text(max_size=8), values_of(others, definitions), max_size=FEW)


def built_lines(name: str, number: int, seeded: int) -> Iterator[dict[str, Any]]:
    """Yield so many records of a schema."""
    schema, found = schema_of(name), []

    @seed(seeded)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(values_of(schema, definitions_in(schema)))
    def collect(value: dict[str, Any]) -> None:
        found.append(value)

    collect()
    yield from found


def in_place_of(content: bytes, record: Mapping[str, Any], at: int, keep: Callable[[], bool]) -> bytes:
    """Return a file with a record in place of one of its kind, of which the fields that `keep` says remain.

    The file is one object, or has one in each line; a record of no kind that it has is added as a line.
    """
    lines = content.splitlines()
    try:
        olds = [json.loads(line) for line in lines]
    except ValueError:  # one object over several lines
        lines, olds = [content], [json.loads(content)]
    alike = [n for n, old in enumerate(olds) if old.get("record") == record.get("record")]
    old = olds[alike[at % len(alike)]] if alike else {}
    is_signed = CHECKSUM in olds[0]
    new = {**record, **{key: value for key, value in old.items() if key in record and keep()}}
    new.pop(CHECKSUM, None)
    text = json.dumps(new).encode()
    line = with_checksum(text) if is_signed and new else text
    if alike:
        lines[alike[at % len(alike)]] = line
    else:
        lines.insert(len(lines) - 1, line)
    return b"\n".join(lines) + b"\n"
