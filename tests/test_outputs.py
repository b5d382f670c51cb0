"""The door by which outputs appear: real files, real processes, and kills while a place changes hands."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gnomon import outputs
from gnomon.outputs import Kind, OutputUnusable, appearing, file_kind, require_free

OURS = file_kind("a note", lambda path: path.read_bytes().startswith(b"ours"))


def foreign_in(folder):
    others = sorted({path.name for path in folder.iterdir()} - {"note"})
    return f"holds {others[0]}, which is not ours" if others else ""


FOLDER = Kind("a folder of notes", foreign_in)
WRITER = """
import sys, time
from pathlib import Path
from gnomon import outputs
from tests_of_outputs import FOLDER, write_folder

def stop(where):
    if where == sys.argv[1]:
        print(where, flush=True)
        time.sleep(60)

exchange, rename = outputs.exchange, Path.rename

def paused_exchange(first, second):
    if sys.argv[2] == "renames":
        return False
    stop("written")
    done = exchange(first, second)
    stop("exchanged")
    return done

def paused_rename(self, target):
    done = rename(self, target)
    stop("moved aside" if Path(target).name == "old" else "moved in")
    return done

outputs.exchange, Path.rename = paused_exchange, paused_rename
write_folder(Path(sys.argv[3]), "new", force=True)
"""


def write(path, text, **options):
    with appearing(path, OURS, **options) as fresh:
        fresh.write_text(text)


def write_folder(path, text, **options):
    with appearing(path, FOLDER, **options) as fresh:
        fresh.mkdir()
        (fresh / "note").write_text(text)


def killed_at(where, way, folder, tmp_path):
    """Start a writer of `folder`, and kill it while it stands at `where`, which it says."""
    (tmp_path / "tests_of_outputs.py").write_text(Path(__file__).read_text())
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{WRITER}", where, way, folder]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == f"{where}\n"
    assert writer.poll() is None
    writer.kill()
    assert writer.wait() == -9
    writer.stdout.close()


@pytest.mark.parametrize(
    ("where", "way", "left"),
    [("written", "exchange", "old"), ("exchanged", "exchange", "new"), ("moved in", "renames", "new")],
)
def test_a_kill_leaves_the_old_folder_or_the_new_one(tmp_path, where, way, left):
    write_folder(tmp_path / "out", "old", force=False)
    killed_at(where, way, tmp_path / "out", tmp_path)
    assert (tmp_path / "out" / "note").read_text() == left
    assert not foreign_in(tmp_path / "out")


def test_where_two_renames_are_needed_the_next_call_brings_the_old_folder_back(tmp_path):
    write_folder(tmp_path / "out", "old", force=False)
    killed_at("moved aside", "renames", tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()
    with pytest.raises(OutputUnusable, match="is there already"):
        write_folder(tmp_path / "out", "newer", force=False)
    assert (tmp_path / "out" / "note").read_text() == "old"
    write_folder(tmp_path / "out", "newer", force=True)
    assert (tmp_path / "out" / "note").read_text() == "newer"


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_rename_that_fails_brings_the_old_folder_back(tmp_path, monkeypatch, fails_at):
    write_folder(tmp_path / "out", "old", force=False)
    rename, calls = Path.rename, []

    def failing(self, target):
        calls.append(target)
        if len(calls) == fails_at:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(outputs, "exchange", lambda first, second: False)
    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OutputUnusable, match="Input/output"):
        write_folder(tmp_path / "out", "new", force=True)
    assert (tmp_path / "out" / "note").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_user_s_hidden_folder_is_not_taken_for_one_to_bring_back(tmp_path):
    (tmp_path / ".out.backup" / "old").mkdir(parents=True)
    (tmp_path / ".out.backup" / "old" / "thesis.txt").write_text("years")
    write_folder(tmp_path / "out", "new", force=False)
    assert (tmp_path / ".out.backup" / "old" / "thesis.txt").read_text() == "years"


def write_while_another_appears(path, write_one, *, force):
    with appearing(path, OURS if write_one is write else FOLDER, force=force) as fresh:
        write_one(fresh, "ours", force=False)
        path.mkdir()
        (path / "thesis.txt").write_text("years")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("write_one", [write, write_folder])
def test_what_appears_meanwhile_is_left_as_it_is(tmp_path, force, write_one):
    with pytest.raises(OutputUnusable, match="out"):
        write_while_another_appears(tmp_path / "out", write_one, force=force)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("write_one", [write, write_folder])
def test_what_appears_in_the_very_last_moment_is_left_as_it_is(tmp_path, monkeypatch, write_one):
    lexists = outputs.os.path.lexists

    def late(path):
        found = lexists(path)
        if not found and any(tmp_path.glob(".out.*/out")):  # it was written, and is about to be moved in
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "thesis.txt").write_text("years")
        return found

    monkeypatch.setattr(outputs.os.path, "lexists", late)
    with pytest.raises(OutputUnusable, match="appeared meanwhile and was left as it is"):
        write_one(tmp_path / "out", "ours", force=False)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years"


@pytest.mark.parametrize("is_atomic", [True, False])
def test_what_somebody_writes_into_a_folder_in_the_last_moment_is_kept(tmp_path, monkeypatch, is_atomic):
    write_folder(tmp_path / "out", "old", force=False)
    exchange = outputs.exchange
    is_first = [True]

    def late(first, second):
        if is_first.pop() if is_first else False:
            (tmp_path / "out" / "thesis.txt").write_text("years")
        return exchange(first, second) if is_atomic else False

    monkeypatch.setattr(outputs, "exchange", late)
    with pytest.raises(OutputUnusable, match=r"holds thesis\.txt, which is not ours, so it is not replaced"):
        write_folder(tmp_path / "out", "new", force=True)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years"
    assert (tmp_path / "out" / "note").read_text() == "old"


@pytest.mark.slow
def test_of_two_processes_that_make_one_new_folder_one_is_refused(tmp_path):
    (tmp_path / "tests_of_outputs.py").write_text(Path(__file__).read_text())
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
from pathlib import Path
from tests_of_outputs import FOLDER, appearing
with appearing(Path(sys.argv[1]), FOLDER, force=False) as fresh:
    fresh.mkdir()
    (fresh / "note").write_text(sys.argv[2])
    print("written", flush=True)
    sys.stdin.readline()  # until both have begun
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "out"), name], **pipes) for name in ("one", "two")
    ]
    assert [writer.stdout.readline() for writer in both] == ["written\n"] * 2
    ends = [(writer.communicate("\n")[1], writer.returncode) for writer in both]
    assert ends[0] == ("", 0)
    assert ends[1][1] == 1
    assert "appeared meanwhile and was left as it is" in ends[1][0] or "is there already" in ends[1][0]
    assert (tmp_path / "out" / "note").read_text() == "one"


@pytest.mark.parametrize("force", [False, True])
def test_anything_else_in_a_file_s_place_is_refused_in_one_line(tmp_path, force):
    (tmp_path / "theirs").write_text("years")
    (tmp_path / "ours").write_text("ours")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("ours")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    for name in ("theirs", "folder", "link", "dangling", "fifo"):
        with pytest.raises(OutputUnusable, match=f"{name} .*is not a note that Gnomon wrote") as caught:
            write(tmp_path / name, "ours anew", force=force)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "theirs").read_text() == "years"
    assert not (tmp_path / "nowhere").exists()


def test_ours_is_replaced_when_asked_and_only_then(tmp_path):
    write(tmp_path / "new" / "x", "ours 1", force=False)
    with pytest.raises(OutputUnusable, match="force=True"):
        require_free(tmp_path / "new" / "x", OURS, force=False)
    write(tmp_path / "new" / "x", "ours 2", force=True)
    assert (tmp_path / "new" / "x").read_text() == "ours 2"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x"]


def test_a_file_system_without_hard_links_replaces_nothing_either(tmp_path, monkeypatch):
    def no_links(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(outputs.os, "link", no_links)
    write(tmp_path / "x", "ours", force=False)
    assert (tmp_path / "x").read_text() == "ours"


KILLED = """
import os, sys
from pathlib import Path
from gnomon.outputs import appearing, file_kind
with appearing(Path(sys.argv[1]), file_kind("a note", lambda path: True), force=False) as fresh:
    fresh.write_text("half")
    os.kill(os.getpid(), 9)
"""


def test_what_a_kill_left_is_removed_by_the_next_writer_and_nothing_else(tmp_path):
    out = tmp_path / "out"
    subprocess.run([sys.executable, "-c", KILLED, str(out)], check=False)
    (left,) = tmp_path.iterdir()
    (tmp_path / ".out.thesis.gnomon").mkdir()
    (tmp_path / ".out.thesis.gnomon" / "thesis.txt").write_text("years")
    for folder in tmp_path.iterdir():
        os.utime(folder, (0, 0))
    with appearing(out, OURS, force=False) as fresh:
        fresh.write_text("ours")
    assert not left.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.thesis.gnomon", "out"]


def test_what_another_process_is_writing_is_not_removed(tmp_path):
    out = tmp_path / "out"
    with appearing(out, OURS, force=False) as first:
        first.write_text("ours, first")
        os.utime(first.parent, (0, 0))
        with appearing(out, OURS, force=False) as second:
            second.write_text("ours, second")
        assert first.exists()
        out.unlink()
    assert out.read_text() == "ours, first"


KILLED_WHEN_THERE = """
import os, sys
from pathlib import Path
from gnomon import outputs
from gnomon.outputs import appearing, file_kind
place_new = outputs.place_new
def placed(*arguments):
    place_new(*arguments)
    os.kill(os.getpid(), 9)
outputs.place_new = placed
with appearing(Path(sys.argv[1]), file_kind("a note", lambda path: True), force=False) as fresh:
    fresh.write_text("ours")
"""


def test_what_a_kill_left_beside_an_output_that_is_there_is_removed_by_whoever_is_refused(tmp_path):
    out = tmp_path / "out"
    subprocess.run([sys.executable, "-c", KILLED_WHEN_THERE, str(out)], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(OutputUnusable, match="is there already"):
        require_free(out, OURS, force=False)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert out.read_text() == "ours"
