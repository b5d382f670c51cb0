"""Journals cut and flipped at every byte; a disk that is full or read-only; a clock set back; two processes at once."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

from gnomon import load_run
from gnomon.errors import GnomonError
from gnomon.profilers import read_results

from .command import Tally, ended, gnomon, started
from .workload import RUN, TRAIN, verbs

CLOCK = "import time\nreal = time.time\ntime.time = lambda: real() - 86400 * 400\n"  # as sitecustomize.py
SMALL_KIB = (8, 64, 256, 1024)


def damage(kind: str, path: Path, read: Callable[[], object]) -> Tally:
    """Cut a journal at every byte, then flip each bit in turn of every byte; reading finds it, or reads a prefix."""
    tally, content = Tally(f"{kind} cut and flipped at every byte"), path.read_bytes()
    whole = read()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for at in range(len(content)):
            for how, damaged in (
                ("cut", content[:at]),
                ("flip", content[:at] + bytes([content[at] ^ 1 << (at % 8)]) + content[at + 1 :]),
            ):
                path.write_bytes(damaged)
                try:
                    found = read()
                except GnomonError:
                    tally.add(f"{how} refused")
                except Exception as error:
                    tally.add(f"{how} raised", f"{kind} {how} at {at}: {type(error).__name__}: {error}")
                else:
                    prefix = str(whole).startswith(str(found)[:-1].rstrip(",")) or not found
                    tally.add(f"{how} read", "" if prefix else f"{kind} {how} at byte {at} was believed")
    path.write_bytes(content)
    return tally


def journals(folder: Path, bundle_results: Path | None) -> list[Tally]:
    """Damage the evaluations of a run, and the results of a device."""
    for needed in (TRAIN, RUN):
        gnomon(needed, folder)
    run = folder / "run"
    tallies = [
        damage(
            "evaluations",
            run / "evaluations.jsonl",
            lambda: [(e.order, e.indices, e.values, e.seconds) for e in load_run(run).evaluations],
        )
    ]
    if bundle_results is not None:
        lines = bundle_results.read_bytes().splitlines(keepends=True)[:40]  # each byte reads the whole file
        path = folder / "results.jsonl"
        path.write_bytes(b"".join(lines))
        tallies.append(damage("results", path, lambda: [(v.key, v.block_us) for v in read_results(path).visits]))
    return tallies


def small_disk(folder: Path, names: list[str]) -> Tally:
    """Run verbs where the disk is full, then read-only; nothing of before may be lost. Needs leave to mount."""
    tally = Tally("full and read-only disks")
    for name in names:
        verb = verbs()[name]
        prepared = folder / f"{name}-prepared"
        prepared.mkdir(parents=True)
        for needed in verb.needs:
            gnomon(needed, prepared)
        size_kib = sum(path.stat().st_size for path in prepared.rglob("*") if path.is_file()) // 1024
        for room_kib in SMALL_KIB:
            disk = folder / f"{name}-{room_kib}"
            disk.mkdir()
            options = ["-t", "tmpfs", "-o", f"size={size_kib + room_kib}k", "tmpfs", str(disk)]
            if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
                tally.add("not tried: no leave to mount")
                return tally
            try:
                shutil.copytree(prepared, disk / "x")
                before = content_of(disk / "x")
                for mode in ("full", "read-only"):
                    if mode == "read-only":
                        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
                    code, wrong = gnomon(verb.arguments, disk / "x", TMPDIR=str(folder))
                    lost = [path for path, text in before.items() if content_of(disk / "x").get(path) != text]
                    empty = [p for p, text in content_of(disk / "x").items() if not text and "lock" not in p]
                    wrong = wrong or (
                        f"{name} lost {lost[0]}" if lost else f"{name} left empty {empty[0]}" if empty else ""
                    )
                    tally.add(f"{mode}, exit code {code}", wrong)
            finally:
                subprocess.run(["umount", str(disk)], check=True)
    return tally


def content_of(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder, but journals, which may grow."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".jsonl")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def clock_back(folder: Path, names: list[str]) -> Tally:
    """Begin a verb, and go on with it 400 days earlier by the clock."""
    tally = Tally("clock set back by 400 days between two calls")
    (folder / "site").mkdir(parents=True)
    (folder / "site" / "sitecustomize.py").write_text(CLOCK)
    for name in names:
        verb, place = verbs()[name], folder / name.replace(" ", "-")
        place.mkdir()
        for needed in verb.needs:
            gnomon(needed, place)
        process = started(verb.arguments, place)
        try:
            process.communicate(timeout=4.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        code, wrong = gnomon(verb.arguments, place, PYTHONPATH=f"{folder / 'site'}:{environment_path()}")
        tally.add(f"exit code {code}", wrong)
    return tally


def environment_path() -> str:
    """Return the paths that modules come from."""
    import sys

    return ":".join(filter(None, sys.path))


def two_at_once(folder: Path, names: list[str]) -> Tally:
    """Start each verb twice on one output; what is left is that of one, and none ends in a traceback."""
    tally = Tally("two processes on one output")
    for name in names:
        verb, place = verbs()[name], folder / name.replace(" ", "-")
        place.mkdir(parents=True)
        for needed in verb.needs:
            gnomon(needed, place)
        pair = [started(verb.arguments, place) for _ in range(2)]
        ends = [ended(process) for process in pair]
        codes = sorted(code for code, _ in ends)
        wrong = next((said for _, said in ends if said), "")
        if 0 not in codes:
            wrong = wrong or f"{name}: neither ended well, {codes}"
        else:
            try:
                verb.left(place)
            except Exception as error:
                wrong = wrong or f"{name}: {type(error).__name__}: {error}"
        tally.add(json.dumps(codes), wrong)
    return tally
