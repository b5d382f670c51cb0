"""Temporary folders and files: held while in use, gone after, and removed by the next process after a kill."""

import ast
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gnomon import temporary
from gnomon.temporary import discard, is_temporary, left_beside, replacing, sweep, temporary_folder

ROOT = Path(temporary.__file__).parent
PACKAGES = ("supernets", "profilers", "lut", "search", "reports", "api", "cli")
KILLED = """
import os, sys
from gnomon.temporary import replacing, temporary_folder
with {making} as made:
    {writing}
    os.kill(os.getpid(), 9)
"""
MAKERS = {
    "elsewhere": ("temporary_folder()", "(made / 'half').write_text('half')"),
    "beside": ("temporary_folder(beside=sys.argv[1])", "(made / 'half').write_text('half')"),
    "file": ("replacing(sys.argv[1])", "made.write(b'half')"),
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(temporary.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def kill_one(kind, place):
    """Kill a process that has made one in `place`, and return what it left."""
    making, writing = MAKERS[kind]
    before = set(place.iterdir())
    code = KILLED.format(making=making, writing=writing)
    command = [sys.executable, "-c", code, str(place / "out")]
    assert subprocess.run(command, env={**os.environ, "TMPDIR": str(place)}, check=False).returncode == -9
    (left,) = set(place.iterdir()) - before
    assert is_temporary(left.name)
    return left


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("next_one", ["elsewhere", "beside", "file"])
def test_whoever_makes_one_next_removes_what_a_kill_left(place, kind, next_one):
    kill_one(kind, place)
    making = {
        "elsewhere": temporary_folder,
        "beside": lambda: temporary_folder(beside=place / "other"),
        "file": lambda: replacing(place / "other"),
    }[next_one]
    with making():
        assert len(list(place.iterdir())) == 1
    assert [path.name for path in place.iterdir()] == (["other"] if next_one == "file" else [])


def test_what_a_live_process_holds_is_left_and_what_it_ends_with_is_whole(place):
    with temporary_folder() as folder, replacing(place / "out") as file:
        file.write(b"half ")
        file.flush()
        sweep(place)
        with temporary_folder(beside=place / "out"), replacing(place / "out") as second:
            second.write(b"second")
        assert folder.is_dir()
        assert (place / "out").read_bytes() == b"second"
        file.write(b"whole")
    assert (place / "out").read_bytes() == b"half whole"
    assert [path.name for path in place.iterdir()] == ["out"]


@pytest.mark.parametrize(
    "name", ["gnomon-12345678", ".out.thesis.gnomon", ".12345678.gnomon", "gnomon.1234567g.gnomon", ".b.k3x9_abc"]
)
def test_what_has_another_name_is_not_ours(place, name):
    (place / name).mkdir()
    sweep(place)
    assert (place / name).is_dir()


def test_what_is_no_folder_and_no_file_or_leads_elsewhere_is_left(place, tmp_path):
    (place / "theirs").mkdir()
    (place / "theirs" / "thesis.txt").write_text("years")
    (place / "gnomon.00000001.gnomon").symlink_to("theirs")
    os.mkfifo(place / "gnomon.00000002.gnomon")
    with temporary_folder():
        pass
    assert (place / "theirs" / "thesis.txt").read_text() == "years"
    assert len(list(place.iterdir())) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_belongs_to_somebody_else_is_left(place):
    left = kill_one("elsewhere", place)
    os.chown(left, 12345, 12345)
    with temporary_folder():
        assert left.is_dir()


def test_where_the_file_system_knows_no_locks_nothing_of_others_is_removed(place, monkeypatch):
    left = kill_one("elsewhere", place)

    def unsupported(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(temporary.fcntl, "flock", unsupported)
    with temporary_folder() as folder:
        assert folder.is_dir()
    assert [path.name for path in place.iterdir()] == [left.name]


def test_one_that_is_swept_up_before_it_is_held_is_made_again(place, monkeypatch):
    held, swept = temporary.held, []

    def late(path):
        if not swept:
            swept.append(path)
            path.rmdir()
        return held(path)

    monkeypatch.setattr(temporary, "held", late)
    with temporary_folder() as folder:
        assert folder.is_dir()
        assert folder != swept[0]


KILLED_REMOVING = """
import os, shutil, sys
from pathlib import Path
from gnomon import temporary
temporary.shutil.rmtree = lambda *a, **k: os.kill(os.getpid(), 9)
temporary.discard(Path(sys.argv[1]))
"""


def test_a_folder_is_removed_at_once_even_if_the_removing_is_killed(place):
    (place / "folder" / "in").mkdir(parents=True)
    subprocess.run([sys.executable, "-c", KILLED_REMOVING, str(place / "folder")], check=False)
    assert not (place / "folder").exists()
    (place / "next").mkdir()
    discard(place / "next")
    assert list(place.iterdir()) == []


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(place):
    (place / "out").write_text("old")

    def interrupted():
        with replacing(place / "out") as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (place / "out").read_text() == "old"
    assert [path.name for path in place.iterdir()] == ["out"]


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_a_file_has_the_permissions_that_the_user_gives_new_files(place, mask, mode):
    before = os.umask(mask)
    try:
        with replacing(place / "out") as file:
            file.write(b"new")
        with temporary_folder() as folder:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    assert stat.S_IMODE((place / "out").stat().st_mode) == mode


def test_names_as_long_as_a_file_system_takes_are_told_apart(place):
    names = ["ü" * 127, "ü" * 126 + "y", "n" * 255]
    for name in names:
        with replacing(place / name) as file, temporary_folder(beside=place / name) as folder:
            assert left_beside(place / name)
            assert folder in left_beside(place / name)
            assert not any(folder in left_beside(place / other) for other in names if other != name)
            file.write(name.encode())
        assert (place / name).read_text() == name


def test_nothing_else_makes_temporary_folders_or_files():
    others = []
    for path in sorted([*ROOT.glob("*.py"), *(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))]):
        if path.name == "temporary.py":
            continue
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "tempfile" in text else ():
            named = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if named.startswith("tempfile.") and named not in ("tempfile.gettempdir", "tempfile.TemporaryFile"):
                others.append(f"{path.relative_to(ROOT)}: {named}")
    assert others == []
