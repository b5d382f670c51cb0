"""Serves a report to this machine alone, made anew when a run has gone on, so that a browser can follow it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from ...errors import GnomonError
from ...search.runs.files.records import EVALUATIONS_FILE, FINAL_FILE, STOP_FILE
from .content.sources import Subject, opened
from .report import html_of

LOOPBACK = "127.0.0.1"
REFRESH_S = 10


def server_of(subjects: Sequence[Subject], *, port: int = 0, refresh_s: int = REFRESH_S) -> HTTPServer:
    """Return a server of the report on the loopback interface, on any free port for 0; `serve_forever` runs it.

    A browser asks again every `refresh_s` seconds while a run has not ended. Raises the errors of reading, and OSError
    for a port that is taken.
    """
    page = Page(subjects)
    page.text()  # what cannot be read is said before anything is served

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.headers.get("Host", "").partition(":")[0]
            if self.path != "/" or host not in (LOOPBACK, "localhost"):  # a page from elsewhere asks by another name
                self.send_error(404)
                return
            try:
                status, text = 200, page.text()
            except GnomonError as error:
                status, text = 503, f"{error}\n"
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"text/{'html' if status == 200 else 'plain'}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            if page.goes_on or status != 200:
                self.send_header("Refresh", str(refresh_s))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing of requests."""

    return HTTPServer((LOOPBACK, port), Handler)


class Page:
    """The report's text, made anew when the files of a run have changed; `goes_on` says whether a run has not ended."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self.subjects = subjects
        self.goes_on = False
        self._made: tuple[object, str] | None = None

    def text(self) -> str:
        """Return the page; raises the errors of reading."""
        state = [state_of(subject) for subject in self.subjects]
        if self._made is None or self._made[0] != state:
            found = opened(self.subjects)
            self._made = (state, html_of(found, made=datetime.now(UTC)))
            self.goes_on = any(subject.run.stop is None for subject in found.runs)
        return self._made[1]


def state_of(subject: Subject) -> object:
    """Return what changes when a run folder goes on: sizes and times of its files; None for what does not change."""
    if not isinstance(subject, (str, Path)):
        return None
    found: list[object] = []
    for name in (EVALUATIONS_FILE, STOP_FILE, FINAL_FILE):
        try:
            stat = (Path(subject) / name).stat()
        except OSError:
            found.append(None)  # not there yet
        else:
            found.append((stat.st_size, stat.st_mtime_ns))
    return found
