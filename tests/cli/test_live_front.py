"""What `gnomon search` shows while it goes on, on a pseudo-terminal and elsewhere."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading

import numpy as np
import pytest

from gnomon.cli.printing import live_front
from gnomon.cli.printing.scatter import HEIGHT, scatter_lines

SEARCH = ["search", "fashion_mnist", "--objectives", "params,macs", "--tactic", "random"]
UP, CLEAR, COLOUR, SHOW, HIDE = "\x1b[1A", "\x1b[2K", re.compile(r"\x1b\[\d*;?3\dm"), "\x1b[?25h", "\x1b[?25l"


@pytest.fixture
def terminal(monkeypatch):
    """A pseudo-terminal of 60 columns: its end for a program, and what was shown on it so far."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    shown = []

    def read():
        while True:
            try:
                shown.append(os.read(ours, 1 << 16))
            except OSError:  # the other end is closed
                return

    reader = threading.Thread(target=read)
    reader.start()
    yield ours, theirs, shown
    os.close(theirs)
    reader.join()
    os.close(ours)


@pytest.fixture
def on_terminal(terminal, monkeypatch, gnomon, wait_until, tmp_path):
    """Return a function that searches with stderr on the terminal, and gives what was shown there."""
    _, theirs, shown = terminal
    monkeypatch.setattr(live_front, "EVERY_S", 0.0)

    def searched(*more):
        with open(theirs, "w", closefd=False) as stderr, monkeypatch.context() as patch:
            # pytest's own stand-in is put back by the fixture `gnomon`
            patch.setattr(sys, "stderr", stderr)
            outcome = gnomon(*SEARCH, "--budget", "8", "--out", tmp_path / "run", *more)
            print("END", file=stderr, flush=True)
        wait_until(lambda: b"END" in b"".join(shown))
        return outcome, b"".join(shown).decode()

    return searched


def test_a_terminal_shows_a_block_that_is_drawn_anew_and_then_goes(on_terminal):
    outcome, shown = on_terminal()
    assert outcome.code == 0, shown
    assert "front " in outcome.out
    blocks = shown.split("search fashion_mnist by random")[1:]
    assert len(blocks) >= 8
    assert all(UP in block for block in blocks)
    assert "cost     8 of 8, ETA 0 s" in blocks[-1]
    assert re.search(r"front +\d of 8 measured; hypervolume \d", blocks[-1])
    assert blocks[-1].count("│") == HEIGHT
    assert "*" in blocks[-1]
    assert max(len(line) for line in re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", blocks[-1]).splitlines()) <= 60
    assert COLOUR.search(shown)
    last, _, left = blocks[-1].partition(CLEAR)
    assert 1 + left.count(CLEAR) == last.count("\n") == HEIGHT + 6  # every line of the last block is taken back
    assert shown.rindex(SHOW) > shown.rindex(HIDE)


def test_no_colour_where_none_is_wanted(on_terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    _, shown = on_terminal()
    assert UP in shown
    assert not COLOUR.search(shown)


def test_a_dumb_terminal_gets_plain_lines(on_terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    _, shown = on_terminal()
    assert "search fashion_mnist by random: 8/8, ETA 0 s  hypervolume" in shown
    assert "\x1b" not in shown


def test_what_is_no_terminal_gets_plain_lines(gnomon, tmp_path):
    outcome = gnomon(*SEARCH, "--budget", "8", "--out", tmp_path / "run")
    assert "search fashion_mnist by random: 8/8, ETA 0 s  hypervolume" in outcome.err
    assert "\x1b" not in outcome.err


def test_a_search_without_a_front_says_why(on_terminal):
    outcome, shown = on_terminal("--constraint", "macs<=1")
    assert outcome.code == 2, outcome.err
    assert "front    none of 3 measured architectures keeps macs<=1" in shown


@pytest.mark.slow
def test_ctrl_c_leaves_the_terminal_as_it_was(terminal, tmp_path, wait_until):
    ours, theirs, shown = terminal
    before = termios.tcgetattr(theirs)
    command = [sys.executable, "-m", "gnomon.cli", *SEARCH, "--budget", "1M", "--out", str(tmp_path / "run")]

    def own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=own_terminal)
    wait_until(lambda: b"ETA" in b"".join(shown), process)
    os.write(ours, b"\x03")
    assert process.wait(timeout=60) == 130
    wait_until(lambda: b"run the same command again" in b"".join(shown))
    printed = b"".join(shown).decode()
    assert printed.rindex(SHOW) > printed.rindex(HIDE)
    assert "Traceback" not in printed
    assert termios.tcgetattr(theirs) == before


def test_a_scatter_places_points_by_their_values():
    everything = np.array([[1.0, 30.0], [2.0, 10.0], [3.0, 20.0]])
    lines = scatter_lines(everything, everything[1:], ["accuracy (percent)", "latency (us)"], width=13)
    assert lines[0] == "accuracy (percent) 1 to 3"
    assert lines[1] == "│     *"
    assert lines[5] == "│*"
    assert lines[9] == "│          ·"
    assert lines[10] == "└" + 11 * "─"
    assert lines[11] == " latency (us) 10 to 30"
    same = scatter_lines(np.ones((2, 2)), np.ones((1, 2)), ["a", "b"])
    assert sum(line.count("*") for line in same) == 1
