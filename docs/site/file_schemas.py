"""JSON Schemas of the files that Gnomon writes: `python docs/site/file_schemas.py` writes them to schemas/.

They are generated from the models that Gnomon reads the files with, so they cannot say anything else; a test holds
them equal, and validates real files. What a model does not know of, because it is written and never read back, is
put together here of the dataclasses that it is written from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from gnomon.lut.profile_file import schema as profile_file
from gnomon.profilers.journal import CHECKSUM
from gnomon.reports.tracker import KnownAs
from gnomon.search.export import export
from gnomon.search.export.checks import ExportedLatency, Parity
from gnomon.search.export.kernels import ExportedKernels
from gnomon.search.final import records as final_file
from gnomon.search.final.summary import LatencyAgreement, Optimism, PauseEffect
from gnomon.search.problem.objective import ObjectiveInfo
from gnomon.search.runs.files import records as run_file
from gnomon.search.runs.files import start as start_file
from gnomon.search.runs.files.call import Call
from gnomon.search.runs.files.stopping import Stop
from gnomon.supernets.evaluation.agreement import KernelCheck

SCHEMAS = Path(__file__).parents[2] / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer", "minimum": 0}
SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
GENES = {"type": "array", "items": WHOLE, "minItems": 1}
VALUES = {"type": "object", "additionalProperties": NUMBER}
JSONL = "One line of the file; each line is a JSON object."
Schema = dict[str, Any]


def schemas() -> dict[str, Schema]:
    """Return every schema by its name."""
    return {
        "profile": described("A hardware profile, JSON Lines", profile_schema(), JSONL),
        "run": described("run.json: what decides a search", run_schema()),
        "evaluation": described("evaluations.jsonl: what a search measured", checked(of(run_file.Evaluation)), JSONL),
        "stop": described("stop.json: how a search ended", of(Stop)),
        "call": described("call.json: how a search was called last", of(Call)),
        "trackers": described("trackers.json: the ids of a run in experiment trackers", of(KnownAs)),
        "start": described("start.jsonl: what a search started from", start_schema(), JSONL),
        "final": described("final.json: a front after validation and timing", final_schema()),
        "final-journal": described("final.jsonl: the evidence of a final front", checked(of(final_file.Record)), JSONL),
        "model": described("model.json: an exported network", model_schema()),
    }


def of(model: Any) -> Schema:
    """Return the schema of a type, without the titles that only repeat names."""
    return untitled(TypeAdapter(model).json_schema())


def checked(schema: Schema) -> Schema:
    """Return the schema of lines that may end with their checksum (`profilers/journal.py`)."""
    names = [one["$ref"].rpartition("/")[2] for one in schema.get("anyOf", schema.get("oneOf", ()))]
    for line in [schema["$defs"][name] for name in names] or [schema]:
        line["properties"][CHECKSUM] = {"type": "string", "pattern": "^[0-9a-f]{8}$"}
    return schema


def untitled(schema: Any) -> Any:
    """Return a schema without titles; a property may be called title."""
    if isinstance(schema, list):
        return [untitled(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: one for name, one in schema.items() if name != "title" or not isinstance(one, str)}
    names = ("properties", "$defs")
    return {
        name: {inner: untitled(one) for inner, one in value.items()} if name in names else untitled(value)
        for name, value in kept.items()
    }


def described(title: str, schema: Schema, note: str = "") -> Schema:
    """Return a schema with its head."""
    text = " ".join(filter(None, [note, schema.pop("description", "")]))
    return {"$schema": DIALECT, "title": title, **({"description": text} if text else {}), **schema}


def of_version(schema: Schema, name: str, versions: tuple[int, ...]) -> Schema:
    """Return the schema of an object that says its own schema and one of these versions."""
    properties = {**schema["properties"], "schema": {"const": name}, "version": {"enum": list(versions)}}
    return {
        **schema,
        "properties": properties,
        "required": ["schema", "version", *(f for f in schema.get("required", ()) if f not in ("schema", "version"))],
    }


def profile_schema() -> Schema:
    """Return that of any record of a profile."""
    schema = of(profile_file.AnyRecord)
    header = schema["$defs"]["ProfileHeader"]
    schema["$defs"]["ProfileHeader"] = of_version(header, profile_file.SCHEMA, profile_file.READABLE_VERSIONS)
    return checked(schema)


def run_schema() -> Schema:
    """Return that of run.json in the version that is written."""
    return of_version(of(run_file.RunHeader), run_file.SCHEMA, (run_file.SCHEMA_VERSION,))


def start_schema() -> Schema:
    """Return that of a line of start.jsonl."""
    header = of_version(of(start_file.StartHeader), start_file.SCHEMA, start_file.READABLE)
    return {"anyOf": [header, of(start_file.StartRecord)]}


def thing(properties: Schema, *, optional: tuple[str, ...] = (), more: bool = False) -> Schema:
    """Return the schema of an object with these properties."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": more}


def or_null(schema: Schema) -> Schema:
    """Return a schema that takes null too."""
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": schema}


def without(schema: Schema, *names: str) -> Schema:
    """Return the schema of an object without some of its properties."""
    return {
        **schema,
        "properties": {name: one for name, one in schema["properties"].items() if name not in names},
        "required": [name for name in schema.get("required", ()) if name not in names],
    }


def final_schema() -> Schema:
    """Return that of final.json."""
    timed = thing(dict.fromkeys(("predicted_us", "low_us", "high_us", "measured_us"), or_null(NUMBER)))
    member = {"id": TEXT, "indices": GENES, "search": VALUES, "report": VALUES, "latency": or_null(timed)}
    member |= {"seen": or_null(without(of(final_file.Seen), "paced_block_us"))}
    member |= {"final": VALUES, "on_front": {"type": ["boolean", "null"]}, "reason": TEXT}
    return thing(
        {
            "schema": {"const": final_file.SCHEMA},
            "version": {"const": final_file.SCHEMA_VERSION},
            "header": without(of(final_file.FinalHeader), "record", "schema", "version"),
            "objectives": listed(of(ObjectiveInfo)),
            "members": listed(thing(member)),
            "controls": listed(without(of(final_file.Validation), "record", "role")),
            "optimism": {"type": "object", "additionalProperties": of(Optimism)},
            "latency": or_null(of(LatencyAgreement)),
            "pauses": or_null(of(PauseEffect)),
        }
    )


def model_schema() -> Schema:
    """Return that of model.json in the version that is written."""
    architecture = {"space": TEXT, "space_digest": TEXT, "id": TEXT, "indices": GENES, "values": {"type": "object"}}
    metric = {"name": TEXT, "unit": TEXT, "signature": TEXT, "split": TEXT, "examples": WHOLE, "torch": NUMBER}
    return thing(
        {
            "schema": {"const": export.SCHEMA},
            "version": {"const": export.SCHEMA_VERSION},
            "gnomon": TEXT,
            "models": {**listed(thing({"file": TEXT, "sha256": SHA256, "runs": WHOLE})), "minItems": 1},
            "feeding": {"type": ["string", "null"]},
            "companions": listed(thing({"file": TEXT, "sha256": SHA256})),
            "architecture": thing({**architecture, "macs": WHOLE, "params": WHOLE}),
            "checkpoint_sha256": or_null(TEXT),
            "precision": TEXT,
            "calibration": or_null({"type": "object"}),
            "quantisation": or_null(of(KernelCheck)),
            "input": {"type": "object"},
            "metric": thing(metric, optional=("signature",), more=True),
            "parity": listed(of(Parity)),
            "latency": or_null(of(ExportedLatency)),
            "kernels": or_null(of(ExportedKernels)),
            "profile": or_null(thing({"name": TEXT, "sha256": SHA256})),
            "provenance": {"type": "object"},
        }
    )


def text_of(schema: Schema) -> str:
    """Return a schema as its file holds it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def schema_page() -> str:
    """Return the page of the site that lists them, as Markdown."""
    rows = [
        f"| {schema['title']} | [{name}.schema.json](schemas/{name}.schema.json) |"
        for name, schema in schemas().items()
    ]
    return "\n".join(
        [
            "# Schemas of the files",
            "",
            "Each file that Gnomon writes has a JSON Schema. They are made from the code that reads the files, and the",
            "tests validate real files with them. They ship with the package, in its folder `schemas`.",
            "[Files](files.md) says what the fields mean.",
            "",
            "A file in JSON Lines is validated line by line. Earlier versions of `run.json`, `evaluations.jsonl` and",
            "`model.json` are read by Gnomon, and are not described here.",
            "",
            "| file | schema |",
            "|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    SCHEMAS.mkdir(exist_ok=True)
    for file_name, content in schemas().items():
        (SCHEMAS / f"{file_name}.schema.json").write_text(text_of(content), encoding="utf-8")
