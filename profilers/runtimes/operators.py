"""Profiles the operators of one model with the runtime's own profiler, in a child process.

    python -m gnomon.profilers.runtimes.operators MODEL --backend NAME --config JSON --loops N --out FILE

The model is loaded and profiled anew for some rounds, and the fastest round is kept whole: other work on the machine
comes in spells, and a spell would be charged to whichever operators it met.

A child for the reasons of every measurement: a runtime may take its process down, and keeps threads and memory. What
it writes explains a latency and is none, so it is kept apart from plans, results and profiles. Exit codes are those of
the worker.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Optional, Sequence

from ...temporary import temporary_folder
from ..child import child_environment, require_done, run_child
from ..errors import ProfilerError
from ..exits import DONE, FAILED, INTERRUPTED
from ..journal import write_atomically
from ..run_config import RunConfig
from .backend import OperatorProfile, profile_operators
from .registry import load_backend

ROUNDS = 5


def measure_operators(model: bytes, *, backend: str, config: RunConfig, loops: int) -> OperatorProfile:
    """Profile the operators of ONNX bytes on this machine, in a child process, over ``loops`` inferences a round.

    Raises `OperatorsUnavailable` for a backend that cannot, `WorkerCrashed` when the runtime takes the child down,
    and what `load_backend` and `Backend.load` raise.
    """
    with temporary_folder() as folder:
        file, out = folder / "model.onnx", folder / "operators.json"
        file.write_bytes(model)
        command = [sys.executable, "-m", f"{__package__}.operators", str(file), "--backend", backend]
        command += ["--config", json.dumps(config.to_json()), "--loops", str(loops), "--out", str(out)]
        ended = run_child(command, child_environment(os.environ, config.threads), None)
        require_done(ended, f"Latencies are not affected: profiling operators with {backend}")
        return OperatorProfile.from_json(json.loads(out.read_text(encoding="utf-8")))


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Profile the model the command line names, write what was found, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="gnomon.profilers.runtimes.operators", description="Profile a model's operators."
    )
    parser.add_argument("model", type=Path, help="ONNX file")
    parser.add_argument("--backend", required=True)
    parser.add_argument("--config", required=True, help="run configuration, as JSON")
    parser.add_argument("--loops", type=int, required=True, help="inferences to average over, a round")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    options = parser.parse_args(arguments)
    try:
        config = RunConfig.from_json(json.loads(options.config))
        backend = load_backend(options.backend)
        model = options.model.read_bytes()
        rounds = [profile_operators(backend, model, config, loops=options.loops) for _ in range(ROUNDS)]
    except ProfilerError as exc:
        print(json.dumps({"event": "error", "error": type(exc).__name__, "message": str(exc)}), flush=True)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    fastest = min(rounds, key=lambda profile: profile.inference_us)
    write_atomically(options.out, json.dumps(fastest.to_json()))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
