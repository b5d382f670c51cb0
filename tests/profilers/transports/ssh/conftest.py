"""A real SSH server on the loopback address, and a device behind it that is this Python with a home of its own."""

import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

import gnomon.profilers
from gnomon.profilers import open_device

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
SSH = shutil.which("ssh")


@dataclass(frozen=True)
class Server:
    """A running sshd; ``folder`` holds its keys and the client's."""

    process: subprocess.Popen
    folder: Path
    port: int

    def logins(self):
        """Count the logins so far."""
        return (self.folder / "log").read_text().count("Accepted publickey")

    def cut_lines(self):
        """Kill whatever serves connections, as a dropped line would end them."""
        for child in psutil.Process(self.process.pid).children():
            child.kill()


@dataclass(frozen=True)
class Board:
    """The device: how it is reached, what it keeps in its home, and what was said and shown while it was used."""

    server: Server
    folder: Path
    said: list = field(default_factory=list)
    shown: list = field(default_factory=list)

    @property
    def address(self):
        return f"ssh://board?python={self.folder / 'python'}"

    @property
    def plans(self):
        return self.folder / "home" / ".cache" / "gnomon" / "plans"

    def open(self, address=None):
        return open_device(address or self.address, say=self.said.append, show=self.shown.append)

    def be(self, *lines, python=sys.executable, options=""):
        """Make ``python`` on the device what ``lines`` of shell prepare."""
        script = self.folder / "python"
        home = f"export HOME={self.folder / 'home'} GNOMON_DEVICE_LOCK={self.folder / 'lock'}"
        script.write_text("\n".join(["#!/bin/sh", home, *lines, f'exec {python} {options} "$@"', ""]))
        script.chmod(0o755)

    def configure(self, **options):
        """Write the user's configuration of ssh for the host `board`, with ``options`` first."""
        keys = self.server.folder
        ours = {
            "HostName": "127.0.0.1",
            "Port": self.server.port,
            "IdentityFile": keys / "user",
            "UserKnownHostsFile": keys / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
        }
        lines = [f"  {name} {value}" for name, value in {**ours, **options}.items()]
        (self.folder / "config").write_text("\n".join(["Host board", *lines, ""]))

    def start(self, plan, results):
        """Run a plan in another process of this machine."""
        code = (
            "import sys; from pathlib import Path; from gnomon.profilers import open_device\n"
            "with open_device(sys.argv[1], say=lambda text: print(text, file=sys.stderr)) as device:\n"
            "    device.run(Path(sys.argv[2]), Path(sys.argv[3]))\n"
        )
        command = [sys.executable, "-c", code, self.address, plan, results]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def wait_for_a_visit(self):
        deadline_s = time.monotonic() + 60
        while not any(b'"visit"' in path.read_bytes() for path in self.plans.glob("*/results.jsonl")):
            assert time.monotonic() < deadline_s
            time.sleep(0.02)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def new_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path.with_suffix(".pub").read_text()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    if SSH is None or not Path(SSHD).exists():
        pytest.skip("no OpenSSH server here: apt install openssh-server")
    folder, port = tmp_path_factory.mktemp("sshd"), free_port()
    known = " ".join(new_key(folder / "host").split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {known}\n")
    (folder / "authorized_keys").write_text(new_key(folder / "user"))
    new_key(folder / "stranger")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists, and only an init system makes it
    (folder / "sshd_config").write_text(
        textwrap.dedent(f"""
            Port {port}
            ListenAddress 127.0.0.1
            HostKey {folder / "host"}
            PidFile none
            AuthorizedKeysFile {folder / "authorized_keys"}
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
        """)
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
        while b"listening" not in (folder / "log").read_bytes():
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.02)
        yield Server(process, folder, port)
        process.terminate()
        process.wait()


@pytest.fixture
def board(server, tmp_path, monkeypatch):
    """A device known to the user's ssh configuration as `board`."""
    made = Board(server, tmp_path / "board")
    (made.folder / "bin").mkdir(parents=True)
    (made.folder / "home").mkdir()
    ssh = made.folder / "bin" / "ssh"  # whatever HOME is, ssh reads the configuration in the user's real home
    ssh.write_text(f'#!/bin/sh\nexec {SSH} -F {made.folder / "config"} "$@"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}{os.pathsep}{os.environ['PATH']}")
    made.configure()
    made.be()
    return made


@pytest.fixture
def fake_board(board, fake_backend, tmp_path):
    """The device with the plug-in backend ``fake``, which takes from this machine what no worker has: `testing.py`."""
    plugin = tmp_path / "site" / "gnomon_fake.py"
    package = str(Path(gnomon.profilers.__file__).parent)
    plugin.write_text(f"import gnomon.profilers\ngnomon.profilers.__path__.append({package!r})\n{plugin.read_text()}")
    board.be(f"export PYTHONPATH={tmp_path / 'site'}")
    return board
