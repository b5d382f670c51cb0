"""`gnomon report --serve`: to this machine alone, following a run while it goes on."""

import shutil
import threading
import urllib.error
import urllib.request

import pytest

from gnomon.reports.html.serve import server_of


@pytest.fixture
def followed(reported_run, tmp_path):
    """A run folder that has not ended, and the address that serves its report."""
    folder = tmp_path / "run"
    shutil.copytree(reported_run.folder, folder)
    (folder / "stop.json").unlink()
    server = server_of([folder])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, server
    server.shutdown()
    server.server_close()


def asked(server, path="/", **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{server.server_port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode(), answer.headers


@pytest.mark.slow
def test_a_run_is_followed_and_nobody_else_is_answered(followed):
    folder, server = followed
    assert server.server_address[0] == "127.0.0.1"
    before, headers = asked(server)
    assert "The run goes on." in before
    assert headers["Refresh"] == "10"
    for path, host in (("/run.json", "localhost"), ("/", "evil.example")):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            asked(server, path, Host=host)
    lines = (folder / "evaluations.jsonl").read_text().splitlines(keepends=True)
    (folder / "evaluations.jsonl").write_text("".join(lines[:8]))
    after, _ = asked(server)
    assert ">8 validations," in after
    assert ">8 validations," not in before
