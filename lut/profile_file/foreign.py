"""Say what kind of file was given in place of a hardware profile, and what to do with it."""

from __future__ import annotations

from pathlib import Path

from ...profilers.files import has_schema

MAGIC = (
    (b"PAR1", "a Parquet table, not a hardware profile; make one of it: gnomon lut import"),
    (b"PK\x03\x04", "a zip file, not a hardware profile; of a bundle and its results: gnomon bundle import"),
    (b"SQLite format 3\0", "an SQLite database, not a hardware profile"),
    (b"\x89PNG", "a picture, not a hardware profile"),
)
SCHEMAS = (
    ("gnomon.results", "what a device measured of a plan, not a hardware profile; of a bundle's: gnomon bundle import"),
    ("gnomon.final", "the final front of a run, not a hardware profile; look at it with gnomon pareto"),
    ("gnomon.run", "the description of a run, not a hardware profile; look at the run with gnomon pareto"),
    ("gnomon.start", "what a run was started from, not a hardware profile"),
    ("gnomon.export", "the record of an exported model, not a hardware profile"),
)
SUFFIXES = {
    ".csv": "a table of comma-separated values, not a hardware profile; make one of it: gnomon lut import",
    ".yaml": "a YAML file, not a hardware profile; of a table of latencies make one: gnomon lut import",
    ".yml": "a YAML file, not a hardware profile; of a table of latencies make one: gnomon lut import",
    ".toml": "a TOML file, not a hardware profile",
    ".onnx": "a model, not a hardware profile; measure one: gnomon profile",
    ".safetensors": "weights, not a hardware profile; measure one: gnomon profile",
}


def kind_of_folder(path: Path) -> str:
    """Say what a folder is, as the predicate of a sentence."""
    if (path / "run.json").is_file():
        return "is a run, not a hardware profile; look at it with gnomon pareto"
    return "is a folder, and a hardware profile is a file; list those that ship: gnomon lut list"


def kind_of_file(path: Path, content: bytes) -> str:
    """Say what a file is that is no hardware profile, as the predicate of a sentence; "" where nothing tells."""
    for magic, said in MAGIC:
        if content.startswith(magic):
            return f"is {said}"
    if content.lstrip()[:1] == b"{":
        if is_evaluation(content):
            return "holds the evaluations of a run, and is no hardware profile; look at the run with gnomon pareto"
        return next((f"is {said}" for schema, said in SCHEMAS if has_schema(path, schema)), "")
    return f"is {SUFFIXES[path.suffix.lower()]}" if path.suffix.lower() in SUFFIXES else ""


def is_evaluation(content: bytes) -> bool:
    """Tell whether a file begins as the evaluations of a run do."""
    first = content.partition(b"\n")[0]
    return b'"indices":' in first and b'"round":' in first and b'"record":' not in first
