"""The side that asks: a super-network that passes evaluations on to a child process, and outlives it.

Requests and replies are JSON, a line each. The child is started when it is first needed, and again after it died; a
sub-network that takes longer than it may, or takes its process down, is an `EvaluationFailed`.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import GnomonError
from ..errors import EvaluationFailed, EvaluationImpossible
from ..evaluation.chance import CountsClasses
from ..evaluation.deciding import Outcomes, TellsOutcomes
from ..evaluation.supernet import Supernet
from ..graph import PartModel
from ..metric import Metric
from ..precision import FP32
from ..space.space import Architecture
from .outcomes import outcomes_from_json

LONGEST_START_S = 600.0  # loading torch, weights and data
LAST_WORDS_BYTES = 2_000
COMMAND = (sys.executable, "-m", f"{__package__}.child")


@dataclass(frozen=True, slots=True)
class Loading:
    """How the child loads the super-network: the arguments of `load_supernet`."""

    space: str
    checkpoint: str | None = None
    data: str | None = None
    weight_bits: int | None = None


class IsolatedSupernet:
    """A super-network as `inner` describes it, evaluated in a child; not for several threads."""

    def __init__(
        self, inner: Supernet, loading: Loading, *, timeout_s: float | None = None, command: Sequence[str] = COMMAND
    ) -> None:
        """Evaluate as `loading` says, each sub-network for at most `timeout_s` seconds, in what `command` starts."""
        self._command = list(command)
        self._inner, self._loading, self._timeout_s = inner, loading, timeout_s
        self._child: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._stop: Callable[[], object] = lambda: None

    @property
    def metric(self) -> Metric:
        """Return what sub-networks are judged by."""
        return self._inner.metric

    @property
    def precisions(self) -> tuple[str, ...]:
        """Return the precisions that sub-networks can be had in."""
        return self._inner.precisions

    @property
    def checkpoint_sha256(self) -> str | None:
        """Return the sha256 of the file that the weights came from."""
        return self._inner.checkpoint_sha256

    @property
    def has_outcomes(self) -> bool:
        """Whether its metric is the percentage of the examples that a network is right about."""
        return isinstance(self._inner, TellsOutcomes) and self._inner.has_outcomes

    def class_counts(self, split: str = "validation") -> NDArray[np.int64]:
        """Count the examples of each class in a split, (classes,); none where that is not known."""
        inner = self._inner
        return inner.class_counts(split) if isinstance(inner, CountsClasses) else np.empty(0, dtype=np.int64)

    def models(
        self, architecture: Architecture, *, batch: int = 1, precision: str = FP32
    ) -> tuple[PartModel, ...] | None:
        """Return a sub-network's parts as ONNX models, built in this process."""
        return self._inner.models(architecture, batch=batch, precision=precision)

    def evaluate(self, architecture: Architecture, split: str, share: float = 1.0, *, precision: str = FP32) -> float:
        """Return the metric of a sub-network on a share of a split's examples, in the metric's unit.

        Raises EvaluationFailed, and what concerns every sub-network, as DataUnavailable, as itself.
        """
        request = {"indices": architecture.indices, "split": split, "share": share, "precision": precision}
        return float(self._asked(request)["value"])

    def outcomes(
        self,
        architecture: Architecture,
        split: str = "validation",
        rows: NDArray[np.int64] | None = None,
        *,
        precision: str = FP32,
    ) -> Outcomes:
        """Return the outcomes of a sub-network on the examples at `rows` (k,), None: all; raises EvaluationFailed."""
        at = None if rows is None else [int(row) for row in rows]
        request = {"indices": architecture.indices, "split": split, "rows": at, "precision": precision}
        return outcomes_from_json(self._asked(request)["outcomes"])

    def close(self) -> None:
        """End the child; the next evaluation starts another."""
        self._stop()
        self._child = None

    def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the child's reply to a request; raises EvaluationFailed, or what would befall every architecture."""
        try:
            self._started()
            reply = self._answer(request, self._timeout_s, f"it took longer than the {self._timeout_s} s allowed")
        except BaseException:
            self.close()
            raise
        if "error" not in reply:
            return reply
        said = str(reply["message"])
        raise impossible(str(reply["error"]), said) if reply.get("of_no_architecture") else EvaluationFailed(said)

    def _started(self) -> None:
        """Start the child unless it runs."""
        if self._child is not None and self._child.poll() is None:
            return
        self.close()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  (it lives as long as the child)
        self._child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._stop = weakref.finalize(self, ended, self._child, self._stderr)
        self._answer(asdict(self._loading), LONGEST_START_S, f"loading it took longer than {LONGEST_START_S:g} s")

    def _answer(self, request: dict[str, Any], timeout_s: float | None, said: str) -> dict[str, Any]:
        """Send a request and wait for its reply; raises EvaluationFailed, which says `said` if none came in time."""
        child = self._child
        assert child is not None
        assert child.stdin is not None
        assert child.stdout is not None
        to_send, received = json.dumps(request).encode() + b"\n", b""
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        os.set_blocking(child.stdin.fileno(), False)  # it may stop to read, and a pipe holds only so much
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdin, selectors.EVENT_WRITE)
            selector.register(child.stdout, selectors.EVENT_READ)
            while not received.endswith(b"\n"):
                left_s = None if deadline_s is None else deadline_s - time.monotonic()
                if left_s is not None and left_s <= 0:
                    raise EvaluationFailed(said)
                ready = {key.fileobj for key, _ in selector.select(left_s)}
                if child.stdin in ready:
                    to_send = sent(child.stdin, to_send)
                    if not to_send:
                        selector.unregister(child.stdin)
                if child.stdout not in ready:
                    continue
                part = os.read(child.stdout.fileno(), 1 << 20)
                if not part:
                    raise EvaluationFailed(f"its process ended by {cause_of(child.wait())}{self._last_words()}")
                received += part
        reply: dict[str, Any] = json.loads(received)
        return reply

    def _last_words(self) -> str:
        """Return the last line that the child wrote on stderr, to end a sentence."""
        if self._stderr is None:
            return ""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - LAST_WORDS_BYTES))
        lines = self._stderr.read().decode("utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last}" if last else ""


def sent(pipe: IO[bytes], content: bytes) -> bytes:
    """Send what a pipe takes now, and return the rest; nothing where its reader died: what that left says why."""
    try:
        return content[os.write(pipe.fileno(), content) :]
    except BlockingIOError:
        return content
    except BrokenPipeError:
        return b""


def impossible(name: str, said: str) -> GnomonError:
    """Return an error of no architecture by its name; EvaluationImpossible for one that is not known here."""
    kinds = [GnomonError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        if kind.__name__ == name and kind.of_no_architecture:
            return kind(said)
    return EvaluationImpossible(f"{name}: {said}")


def ended(child: subprocess.Popen[bytes], stderr: IO[bytes]) -> None:
    """Kill a child, and let go of its pipes."""
    child.kill()
    with contextlib.suppress(BrokenPipeError):
        child.communicate()
    stderr.close()


def cause_of(code: int) -> str:
    """Say what ended a child: the signal's name, or its exit code."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"
