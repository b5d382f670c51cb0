"""How `gnomon predict --model` prints a prediction: the latency, what it rests on, and kernel by kernel."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...outputs import appearing, file_kind
from ...printable import in_one_line
from .table import print_json, print_table

if TYPE_CHECKING:
    from ...lut.kernels.predict import ModelPrediction

SOURCES = ("measured", "timed now", "scaled", "predicted")
NAMED = 5  # kernels that are named in a line
SHOWN = 40  # rows of an explanation


def print_prediction(prediction: ModelPrediction, *, explain: bool, as_json: bool) -> None:
    """Print the prediction, with `explain` kernel by kernel and node by node."""
    if as_json:
        print_json(prediction_json(prediction))
        return
    interval = "interval unknown: no whole model verified the profile"
    if prediction.low_us is not None and prediction.high_us is not None:
        interval = f"90 % in {milliseconds(prediction.low_us)} to {milliseconds(prediction.high_us)}"
    predicted = [line for line in prediction.lines if line.source == "predicted"]
    measured, now, scaled, rest = (prediction.share(source) for source in SOURCES)
    parts = [f"{measured:.0%} of it from kernels measured"]
    parts += [f"{now:.0%} timed now"] if now else []
    parts += [f"{scaled:.0%} scaled from another device"] if scaled else []
    parts += [f"{rest:.0%} predicted ({len(predicted)} kernels)"] if predicted else []
    print(f"latency  {milliseconds(prediction.value_us)} ms ({interval}), {', '.join(parts)}")
    for line in predicted[:NAMED]:
        what = f"{in_one_line(line.operator)} {three_digits(line.total_us)} us, as {in_one_line(line.sort)}"
        print(f"         predicted: {what}")
    if len(predicted) > NAMED:
        print(f"         and {len(predicted) - NAMED} more; --measure times them now")
    for what, reason in prediction.failed.items():
        print(f"not timed  {in_one_line(what)}, predicted instead: {in_one_line(reason)}")
    for what, count in prediction.graph.excluded.items():
        print(f"not in it  {in_one_line(what)}: {count} times; the latency is at least this")
    if prediction.graph.denormal:
        print(
            f"note     {prediction.graph.denormal} values between kernels hold denormal numbers on synthetic inputs; "
            f"processors compute many times slower with them, and the prediction does not know"
        )
    for note in prediction.asked.notes:
        print(f"note     {in_one_line(note)}")
    print(
        f"kernels  {sum(line.count for line in prediction.lines)} of {len(prediction.lines)} kinds; {prediction.terms}"
    )
    print(f"verified {prediction.verified}")
    if explain:
        print_kernels(prediction)


def milliseconds(value_us: float) -> str:
    """Return microseconds as milliseconds with three digits."""
    return three_digits(value_us / 1e3)


def three_digits(value: float) -> str:
    """Return a number with three digits that count, and all of those before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def print_kernels(prediction: ModelPrediction) -> None:
    """Print the dearest kernels, and the dearest nodes of the file."""
    rows = [
        (
            line.total_us,
            100 * line.total_us / prediction.kernels_us,
            line.count,
            line.source,
            line.operator,
            line.key[:110],
        )
        for line in prediction.lines[:SHOWN]
    ]
    print_table(("us", "percent", "times", "source", "operator", "kernel"), rows)
    nodes = sorted(prediction.by_original.items(), key=lambda item: -item[1])[:SHOWN]
    print_table(("us", "node of the file"), [(us, name or "(added by the runtime)") for name, us in nodes])


def prediction_json(prediction: ModelPrediction) -> dict[str, Any]:
    """Return the prediction as JSON."""
    return {
        "latency_us": prediction.value_us,
        "low_us": prediction.low_us,
        "high_us": prediction.high_us,
        "shares": {source: prediction.share(source) for source in SOURCES},
        "excluded": dict(prediction.graph.excluded),
        "failed": dict(prediction.failed),
        "notes": list(prediction.asked.notes),
        "verified": prediction.verified,
        "kernels": [
            {"key": one.key, "operator": one.operator, "times": one.count, "us": one.total_us, "source": one.source}
            for one in prediction.lines
        ],
        "nodes": dict(prediction.by_original),
    }


NODE_DATA = file_kind("node data", lambda path: path.suffix == ".json" and b'"results"' in path.read_bytes())
NODES = file_kind("a table of kernels", lambda path: path.read_bytes().startswith(b"operator,source,us,nodes"))


def write_node_data(prediction: ModelPrediction, path: Path) -> Path:
    """Write microseconds by node of the file as Model Explorer reads node data; raises OutputUnusable."""
    values = {name: {"value": round(us, 3)} for name, us in prediction.by_original.items() if name}
    content = {
        "main": {"results": values, "gradient": [{"stop": 0, "bgColor": "white"}, {"stop": 1, "bgColor": "red"}]}
    }
    with appearing(path, NODE_DATA, force=True) as fresh:
        fresh.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def write_nodes(prediction: ModelPrediction, path: Path) -> Path:
    """Write the kernels in order of execution as CSV; raises OutputUnusable."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("operator", "source", "us", "nodes"))
    for operator, source, us, names in prediction.nodes:
        writer.writerow((operator, source, f"{us:.3f}", " ".join(names)))
    with appearing(path, NODES, force=True) as fresh:
        fresh.write_text(text.getvalue(), encoding="utf-8")
    return path
