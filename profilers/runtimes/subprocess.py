"""Models in a runtime in a process of its own, for their answers: what one runtime does to a process harms no other.

    python -m gnomon.profilers.runtimes.subprocess --backend NAME --config JSON MODEL...

A runtime may take its process down, and some exclude each other in one (`conflicts.py`). So whoever compares several,
as the checks of an export do, asks each in a child. Nothing is timed here. The child reads requests on stdin and
answers on the stdout that it began with; what runtimes print goes to stderr. A message is a line of JSON and the bytes
of the arrays that it describes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ...temporary import temporary_folder
from ..child import STDERR_TAIL_BYTES, cause_of, child_environment
from ..errors import ProfilerError, WorkerCrashed, error_class
from ..exits import DONE, FAILED
from ..run_config import RunConfig
from .backend import Executable
from .closing import Closing
from .registry import load_backend, origin_of, unbroken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]

KINDS = "biuf"  # of arrays that are sent: numbers and truth values, no objects


class ModelsInSubprocess(Closing):
    """Some models, compiled by one backend in a child process; run one by its position."""

    def __init__(self, models: Sequence[bytes], *, backend: str, config: RunConfig) -> None:
        """Compile the models; raises what `load_backend` and `Backend.load` raise, `BackendBroken`, `WorkerCrashed`."""
        self._backend = backend
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        with temporary_folder() as folder:
            files = [folder / f"{position}.onnx" for position in range(len(models))]
            for file, model in zip(files, models):
                file.write_bytes(model)
            command = [sys.executable, "-m", __name__, "--backend", backend, "--config", json.dumps(config.to_json())]
            self._child = subprocess.Popen(
                command + [str(file) for file in files],
                env=child_environment(os.environ, config.threads),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
            )
            try:
                ready, _ = self._answer()  # once they are read and compiled
            except BaseException:
                self.close()
                raise
        self.version = str(ready["version"])
        self.input_shapes: List[Dict[str, Tuple[int, ...]]] = [
            {name: tuple(shape) for name, shape in shapes.items()} for shapes in ready["input_shapes"]
        ]

    def run(self, position: int, inputs: Arrays) -> Arrays:
        """Return the outputs of the model at ``position`` for inputs converted to its own types.

        Raises `ModelRejected`, `BackendBroken` and `WorkerCrashed`.
        """
        with contextlib.suppress(OSError):  # the child has gone, and its last words say why
            _send(self._child.stdin, {"model": position}, inputs)
        _, outputs = self._answer()
        return outputs

    def close(self) -> None:
        """End the child."""
        if self._child.stdin is not None and not self._child.stdin.closed:
            self._child.kill()  # it holds nothing that could be lost
            self._child.communicate()
            self._stderr.close()

    def _answer(self) -> Tuple[Mapping[str, Any], Arrays]:
        received = _receive(self._child.stdout)
        if received is None:
            raise self._crashed()
        header, arrays = received
        if "error" in header:
            raise error_class(header["error"])(header["message"])
        return header, arrays

    def _crashed(self) -> WorkerCrashed:
        code = self._child.wait()
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - STDERR_TAIL_BYTES))
        tail = self._stderr.read().decode("utf-8", errors="replace").strip()
        return WorkerCrashed(
            f"Running a model with {self._backend} died with {cause_of(code)}. Its last words:\n{tail or '(none)'}",
            exit_code=code,
            stderr_tail=tail,
        )


def _send(stream: Optional[IO[bytes]], header: Mapping[str, Any], arrays: Arrays) -> None:
    assert stream is not None
    contiguous = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in arrays.items()}
    described = [(name, _sendable(array.dtype).str, array.shape) for name, array in contiguous.items()]
    stream.write(json.dumps(dict(header, arrays=described)).encode() + b"\n")
    for array in contiguous.values():
        stream.write(array.tobytes())
    stream.flush()


def _send_error(stream: IO[bytes], error: ProfilerError) -> None:
    _send(stream, {"error": type(error).__name__, "message": str(error)}, {})


def _receive(stream: Optional[IO[bytes]]) -> Optional[Tuple[Dict[str, Any], Arrays]]:
    """Return the next message, or None where the stream ends before the message does."""
    assert stream is not None
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    header = json.loads(line)
    arrays: Arrays = {}
    for name, described, shape in header.pop("arrays"):
        dtype = _sendable(np.dtype(described))
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        content = stream.read(size)
        if len(content) < size:
            return None
        arrays[name] = np.frombuffer(content, dtype).reshape(shape).copy()
    return header, arrays


def _run(executable: Executable, inputs: Arrays) -> Arrays:
    bound = executable.inputs
    return executable.run({n: value.astype(bound[n].dtype) if n in bound else value for n, value in inputs.items()})


def _sendable(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind not in KINDS:
        raise ValueError(f"arrays of {dtype} cannot be sent to a runtime; expected numbers or truth values")
    return dtype


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Compile the models that the command line names, and answer requests until stdin ends."""
    parser = argparse.ArgumentParser(
        prog="gnomon.profilers.runtimes.subprocess", description="Run models for whoever asks on stdin."
    )
    parser.add_argument("models", type=Path, nargs="+", help="ONNX files")
    parser.add_argument("--backend", required=True)
    parser.add_argument("--config", required=True, help="run configuration, as JSON")
    options = parser.parse_args(arguments)
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # runtimes print
        try:
            backend, config = load_backend(options.backend), RunConfig.from_json(json.loads(options.config))
            origin = origin_of(options.backend)
            models = [path.read_bytes() for path in options.models]
            loaded = unbroken(options.backend, origin, lambda: [backend.load(model, config) for model in models])
            shapes = [dict(executable.input_shapes) for executable in loaded]
            _send(answers, {"version": backend.version(), "input_shapes": shapes}, {})
        except ProfilerError as exc:
            _send_error(answers, exc)
            return FAILED
        for header, inputs in iter(partial(_receive, sys.stdin.buffer), None):
            try:
                run = partial(_run, loaded[header["model"]], inputs)
                _send(answers, {}, unbroken(options.backend, origin, run))
            except ProfilerError as exc:
                _send_error(answers, exc)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
