"""The worker on a device: put there first, then asked; and what its answers mean.

Lines that are no events of ours are passed over, because login shells greet. What a device says is shown, never obeyed.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from contextlib import closing
from pathlib import Path
from typing import Any, Callable, Dict, Generator, Iterable, List, Mapping, Optional, Tuple

from ....temporary import __file__ as TEMPORARY
from ...child import event_from_line
from ...errors import DeviceUnfit, ProfilerError, error_class
from ...runtimes.requirements import PYTHON
from ..archive import ROOT, worker_archive
from .failures import printable
from .line import Answer, Line

SENT = (Path(TEMPORARY), Path(__file__).with_name("bootstrap.py"))
FUTURE = "from __future__ import annotations\n"  # may stand at the beginning of a script only
VERSION = "import sys; print('gnomon-python-%d.%d.' % sys.version_info[:2])"  # for any Python there ever was
VERSION_ANSWER = re.compile(rb"gnomon-python-(\d+)\.(\d+)\.")
VERB = (
    f"import sys; sys.path[0] = sys.argv[1]; from {ROOT}.profilers.transports.ssh.device_end import main; "
    f"sys.exit(main(sys.argv[2:]))"
)


def script(call: str) -> str:
    """Return what a device's Python runs, from its standard input, to make a call of `bootstrap.py`."""
    first, then = (path.read_text(encoding="utf-8") for path in SENT)
    return f"{first}\n{then.replace(FUTURE, '')}\n{call}\n"


class RemoteWorker:
    """The worker at the other end of ``line``, which is stored there when first asked; ``say`` is told so."""

    def __init__(self, line: Line, say: Callable[[str], None]) -> None:
        self.address = line.address
        self.say = say
        self._line = line
        self._path: Optional[str] = None

    def ask(self, verb: str, *words: str, stdin: Iterable[bytes] = ()) -> Tuple[Dict[str, Any], bytes]:
        """Return the event that a verb of `device_end` prints, and the bytes after its line.

        Raises the errors of the device as themselves, `DeviceUnfit`, and `DeviceUnreachable`.
        """
        return self._event(self._line.run(self._command(verb, *words), stdin), verb)

    def follow(self, verb: str, *words: str) -> Generator[Dict[str, Any], None, None]:
        """Yield the events that a verb of `device_end` prints, as they come."""
        with closing(self._line.follow(self._command(verb, *words))) as lines:
            for line in lines:
                event = event_from_line(line)
                if event:
                    yield event

    def error(self, event: Mapping[str, Any]) -> ProfilerError:
        """Return the error that an event tells of, as itself, which says where it comes from."""
        message = printable(str(event.get("message")))
        return error_class(str(event.get("error")))(f"On the device ({self.address.login}): {message}")

    def _command(self, *words: str) -> List[str]:
        if self._path is None:
            self._path = self._stored()
        return [self.address.python, "-c", VERB, self._path, *words]

    def _stored(self) -> str:
        """Return where the worker is on the device, after putting it there if it is not."""
        archive = worker_archive()
        digest = hashlib.sha256(archive).hexdigest()
        found = self._bootstrapped(f"look({digest!r})")
        if found["numpy"] is None:
            raise DeviceUnfit(
                f"{self.address} has no numpy that works ({printable(str(found.get('message')))}). Install it there: "
                f"{self.address.login} {shlex.quote(f'{self.address.python} -m pip install numpy')}"
            )
        if found.get("worker") is None:
            self.say(f"copying the worker to {self.address} ({len(archive) / 1024:.0f} KiB)")
            found = self._bootstrapped(f"keep({digest!r}, {base64.b64encode(archive).decode()!r})")
        if not isinstance(found.get("worker"), str):
            raise DeviceUnfit(f"{self.address} did not keep the worker whole; is its disk full or broken?")
        path: str = found["worker"]
        return path

    def _bootstrapped(self, call: str) -> Dict[str, Any]:
        answer = self._line.run([self.address.python, "-"], [script(call).encode()])
        if answer.code != 0:
            self._check_python()
        return self._event(answer, "look")[0]

    def _check_python(self) -> None:
        """Raise `DeviceUnfit` if it is for its Python that the device cannot even look."""
        python, needed = self.address.python, ".".join(map(str, PYTHON))
        answer = self._line.run([python, "-c", VERSION])
        match = VERSION_ANSWER.search(answer.stdout)
        remedy = f"Install one there, or say where it is: {self.address}?python=/path/to/python3"
        if match is None:
            raise DeviceUnfit(
                f"{self.address} has no {python} that answers; the worker takes Python {needed} or newer. {remedy}. "
                f"It said: {answer.last_words or f'nothing, and exit code {answer.code}'}"
            )
        version = int(match.group(1)), int(match.group(2))
        if version < PYTHON:
            raise DeviceUnfit(
                f"{python} of {self.address} is Python {version[0]}.{version[1]}; the worker takes {needed} or newer. "
                f"{remedy}"
            )

    def _event(self, answer: Answer, verb: str) -> Tuple[Dict[str, Any], bytes]:
        """Return the event in an answer and what follows it; raise the error it tells of."""
        rest = answer.stdout
        while rest:
            line, _, rest = rest.partition(b"\n")
            event = event_from_line(line)
            if event.get("event") == "error":
                raise self.error(event)
            if event.get("event") == verb:
                return event, rest
        raise DeviceUnfit(
            f"{self.address} did not answer ({verb}, exit code {answer.code}). Its last words:\n"
            f"{answer.last_words or '(none)'}"
        )
