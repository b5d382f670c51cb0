import hashlib
import zipfile

import pytest

from gnomon.supernets import DataUnavailable
from gnomon.supernets.data import packages, prepare
from gnomon.supernets.data.ding import sentences_of
from gnomon.supernets.data.packages import WheelData, unzip_members
from gnomon.supernets.data.pairs import read_pairs
from gnomon.supernets.data.prepare import DATA_SETS

MEMBERS = {
    "homeassistant/components/a/translations/en.json": '{"on": "Turned on"}',
    "homeassistant/components/a/translations/de.json": '{"on": "Ein"}',
    "homeassistant-2026.2.3.dist-info/licenses/LICENSE.md": "Apache",
    "homeassistant/core.py": "raise SystemExit",
}


def write_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """`pip download` that leaves a wheel of these members; returns how it was called."""
    calls, made = [], tmp_path / "made.whl"
    write_zip(made, MEMBERS)

    def run_tool(command, *, cwd):
        calls.append(command)
        (cwd / "homeassistant-2026.2.3-py3-none-any.whl").write_bytes(made.read_bytes())

    monkeypatch.setattr(packages, "run_tool", run_tool)
    monkeypatch.setattr(prepare, "data_folder", lambda name: tmp_path / "cache" / name)
    source = DATA_SETS["home-assistant"]
    known = WheelData(
        source.requirement,
        hashlib.sha256(made.read_bytes()).hexdigest(),
        source.members,
        source.folder,
        source.published,
        source.python,
        source.convert,
    )
    monkeypatch.setitem(DATA_SETS, "home-assistant", known)
    return calls


def test_a_wheel_becomes_pairs_and_its_licence(wheel):
    folder = prepare.prepare("home-assistant")
    assert read_pairs(folder, "train").targets == ("Ein",)
    assert (folder / "LICENSE-home-assistant").read_text() == "Apache"
    assert not list(folder.rglob("*.py"))
    assert list(folder.parent.iterdir()) == [folder]
    assert prepare.prepare("home-assistant") == folder
    (command,) = wheel
    assert "--no-deps" in command
    assert command[-1] == "homeassistant==2026.2.3"


def test_an_altered_wheel_is_refused_and_nothing_is_left(wheel, monkeypatch, tmp_path):
    monkeypatch.setitem(DATA_SETS, "home-assistant", WheelData("homeassistant==2026.2.3", "ab" * 32, ("*",), ".", ""))
    with pytest.raises(DataUnavailable, match="expected abab"):
        prepare.prepare("home-assistant")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", ["../outside.txt", "a/../../outside.txt", "/outside.txt"])
def test_members_outside_the_folder_are_refused(tmp_path, name):
    write_zip(tmp_path / "bad.whl", {name: "x"})
    with pytest.raises(DataUnavailable, match="member outside its folder"):
        unzip_members(tmp_path / "bad.whl", ("*",), tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("outside.txt"))


def test_only_members_that_are_needed_are_unzipped(tmp_path):
    write_zip(tmp_path / "x.whl", MEMBERS)
    unzip_members(tmp_path / "x.whl", ("homeassistant/components/*/translations/de.json",), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["de.json"]


def test_a_wheel_without_the_members_and_one_that_is_none_are_refused(tmp_path):
    write_zip(tmp_path / "x.whl", MEMBERS)
    with pytest.raises(DataUnavailable, match=r"x\.whl has no member data/\*"):
        unzip_members(tmp_path / "x.whl", ("data/*",), tmp_path / "out")
    (tmp_path / "y.whl").write_bytes(b"no zip")
    with pytest.raises(DataUnavailable, match="no zip file"):
        unzip_members(tmp_path / "y.whl", ("*",), tmp_path / "out")


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        (
            "laufen {vi} | Er läuft gern. [ugs.]; Er rennt. :: to run | He likes (very much) to run.",
            [("He likes to run.", "Er läuft gern.")],
        ),
        ("Aal {m} :: eel", []),
        ("Er geht. | Sie geht weg. :: He leaves.", []),
        ("# Wer? :: Who is it?", []),
        ("no separator", []),
    ],
)
def test_sentences_of_the_dictionary(line, pairs):
    assert list(sentences_of(line)) == pairs
