"""`--force` of every verb that writes replaces what Gnomon wrote and nothing else; the refusal is one line."""

import os
import shutil
from pathlib import Path

import pytest

from gnomon.cli.exits import EXIT_USAGE
from gnomon.cli.main import run as gnomon
from gnomon.cli.verbs import demo
from gnomon.lut import create_bundle, shipped_profiles
from gnomon.lut.measuring.bundle import bundle_request
from gnomon.lut.profile_file.store import SHIPPED
from gnomon.profilers.timing.protocol import TimingPolicy

PROFILE = str(SHIPPED / f"{next(n for n in shipped_profiles() if n.startswith('fashion_mnist/'))}.jsonl")


def commands(out):
    """Return the verbs that write the file `out`, by the name of what they write."""
    return {
        "table.csv": ["lut", "export", PROFILE, "--out", out],
        "table.parquet": ["lut", "export", PROFILE, "--out", out],
        "plot.png": ["lut", "show", PROFILE, "--plot", out],
        "plot.svg": ["lut", "show", PROFILE, "--plot", out],
        "settings.toml": ["search", "--out", "unused", "--save-config", out],
        "bundle.zip": ["bundle", "create", "--space", "tiny", "--networks", "12", "--out", out],
        "profile.jsonl": ["profile", "--space", "tiny", "--backend", "fake", "--networks", "12", "--out", out],
    }


NAMES = tuple(commands(""))


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_gnomon_did_not_write_is_refused_in_one_line(tiny, tmp_path, capsys, monkeypatch, name, force):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_text("years of work")
    assert gnomon([*commands(str(path))[name], *force]) == EXIT_USAGE
    lines = capsys.readouterr().err.splitlines()
    (said,) = [line for line in lines if line.startswith("error: ")]
    assert lines[-1] == said
    assert said.startswith(f"error: {path} is ")
    assert "that Gnomon wrote" in said
    assert path.read_text() == "years of work"
    assert sorted(found.name for found in tmp_path.iterdir()) == [name]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_is_not_waited_for_and_a_link_not_followed(tiny, tmp_path, capsys, monkeypatch, name, force):
    monkeypatch.chdir(tmp_path)
    victim, pipe, link = (tmp_path / f"{stem}{Path(name).suffix}" for stem in ("victim", "pipe", "link"))
    assert gnomon(commands(str(victim))[name]) == 0
    ours = victim.read_bytes()
    os.mkfifo(pipe)
    link.symlink_to(victim)
    for path in (pipe, link):
        capsys.readouterr()
        assert gnomon([*commands(str(path))[name], *force]) == EXIT_USAGE
        assert f"error: {path} is " in capsys.readouterr().err
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert victim.read_bytes() == ours


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_gnomon_wrote_is_replaced_when_asked(tiny, tmp_path, capsys, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    assert gnomon(commands(str(path))[name]) == 0
    assert path.stat().st_size
    before = path.stat().st_ino
    assert gnomon(commands(str(path))[name]) == EXIT_USAGE
    assert "replace it with --force" in capsys.readouterr().err
    assert gnomon([*commands(str(path))[name], "--force"]) == 0
    assert path.stat().st_ino != before
    assert [found.name for found in tmp_path.iterdir() if found.name.startswith(".")] == []


def test_a_demo_removes_what_demos_wrote_and_nothing_beside_it(tmp_path):
    (tmp_path / "demo").mkdir()
    shutil.copy(PROFILE, tmp_path / "demo" / "onnxruntime.jsonl")
    (tmp_path / "demo" / "thesis.txt").write_text("years")
    assert gnomon(["demo", "--out", str(tmp_path / "demo"), "--force"]) == EXIT_USAGE
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["onnxruntime.jsonl", "thesis.txt"]
    (tmp_path / "demo" / "thesis.txt").unlink()
    demo.remove_demo(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
    demo.remove_demo(tmp_path / "demo")


@pytest.mark.parametrize("name", ["onnxruntime.jsonl", "front.png", "run", "exported", "onnxruntime.jsonl.building"])
def test_a_demo_s_names_alone_make_nothing_a_demo_s(tmp_path, name):
    place = tmp_path / "demo" / name
    if "." in name and not name.endswith("building"):
        place.parent.mkdir()
        place.write_text("years")
    else:
        place.mkdir(parents=True)
        (place / "thesis.txt").write_text("years")
    assert gnomon(["demo", "--out", str(tmp_path / "demo"), "--force"]) == EXIT_USAGE
    assert place.exists()


def test_a_bundle_is_known_by_what_is_in_it(tiny, tmp_path):
    request = bundle_request("tiny", precision="fp32", batch=1, networks=12, layers=True, policy=TimingPolicy())
    create_bundle(request, tmp_path / "b.zip")
    create_bundle(request, tmp_path / "b.zip", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]


@pytest.mark.parametrize("verb", [["evaluate", "fashion_mnist"], ["train", "fashion_mnist"]])
def test_a_folder_of_data_that_does_not_exist_is_said_so(tmp_path, capsys, verb):
    assert gnomon([*verb, "--data", str(tmp_path / "nowhere")]) == EXIT_USAGE
    assert f"the folder of the data, {tmp_path / 'nowhere'}, does not exist" in capsys.readouterr().err


def test_a_search_on_data_that_does_not_exist_says_so_and_leaves_no_run(tmp_path, capsys):
    command = ["search", "--out", str(tmp_path / "run"), "--profile", PROFILE, "--data", str(tmp_path / "nowhere")]
    assert gnomon(command) == EXIT_USAGE
    assert "nowhere, does not exist" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
