"""Asks a backend which graph it makes of a model, in a child process.

    python -m gnomon.profilers.runtimes.graphs.asking MODEL ... --backend NAME --config JSON --out FOLDER

A child for the reasons of every measurement: a runtime may take its process down, and keeps threads and memory. Exit
codes are those of the worker.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import List, Optional, Sequence

from ....temporary import temporary_folder
from ...child import child_environment, require_done, run_child, running_archive
from ...errors import ProfilerError
from ...exits import DONE, FAILED, INTERRUPTED
from ...journal import write_atomically
from ...run_config import RunConfig
from ..registry import load_backend, origin_of, unbroken
from .fused_graph import FusedGraph, fused_graph_of
from .stored import graph_from_json, graph_to_json

ASK = "--graphs"  # the option of the zip application that asks


def read_fused_graph(model: bytes, *, backend: str, config: RunConfig) -> FusedGraph:
    """Ask a backend of this machine for the graph of a model, in a child process.

    Raises `GraphUnavailable`, `WorkerCrashed`, and what `load_backend` and `Backend.load` raise.
    """
    return read_fused_graphs([model], backend=backend, config=config)[0]


def read_fused_graphs(models: Sequence[bytes], *, backend: str, config: RunConfig) -> List[FusedGraph]:
    """Ask for the graphs of several models in one child process; raises as `read_fused_graph` for the first error."""
    with temporary_folder() as folder:
        files = [folder / f"{number}.onnx" for number in range(len(models))]
        for file, model in zip(files, models):
            file.write_bytes(model)
        out = folder / "graphs"
        archive = running_archive()
        start = ["-m", f"{__package__}.asking"] if archive is None else [str(archive), ASK]
        command = [sys.executable, *start, *map(str, files), "--backend", backend]
        command += ["--config", json.dumps(config.to_json()), "--out", str(out)]
        ended = run_child(command, child_environment(os.environ, config.threads), None)
        require_done(ended, f"Asking {backend} for its graph")
        return [_loaded(out / file.stem, model) for file, model in zip(files, models)]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Ask for the graphs of the models that the command line names, write them, and return the exit code."""
    parser = argparse.ArgumentParser(prog="gnomon.profilers.runtimes.graphs.asking", description="Ask for graphs.")
    parser.add_argument("models", type=Path, nargs="+", help="ONNX files")
    parser.add_argument("--backend", required=True)
    parser.add_argument("--config", required=True, help="run configuration, as JSON")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    options = parser.parse_args(arguments)
    try:
        config, backend = RunConfig.from_json(json.loads(options.config)), load_backend(options.backend)
        options.out.mkdir()
        for file in options.models:
            ask = partial(fused_graph_of, backend, file.read_bytes(), config)
            _store(unbroken(options.backend, origin_of(options.backend), ask), options.out / file.stem)
    except ProfilerError as exc:
        print(json.dumps({"event": "error", "error": type(exc).__name__, "message": str(exc)}), flush=True)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


def _store(graph: FusedGraph, folder: Path) -> None:
    folder.mkdir()
    if graph.is_own:
        (folder / "model.onnx").write_bytes(graph.model)
    write_atomically(folder / "graph.json", json.dumps(graph_to_json(graph)))


def _loaded(folder: Path, asked: bytes) -> FusedGraph:
    told = json.loads((folder / "graph.json").read_text(encoding="utf-8"))
    return graph_from_json(told, asked, (folder / "model.onnx").read_bytes() if told["is_own"] else None)


if __name__ == "__main__":
    sys.exit(main())
