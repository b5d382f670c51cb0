"""Journals cut and flipped at every byte; disks full, read-only or forbidden; a clock set back; two at once."""

from __future__ import annotations

import ctypes
import json
import math
import mmap
import shutil
import stat
import subprocess
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from gnomon import load_run
from gnomon.errors import GnomonError
from gnomon.profilers import read_results

from .command import Tally, gnomon
from .forked import Forked
from .undisturbed import undisturbed
from .workload import RUN, TRAIN, verbs

SMALL_KIB = (8, 64, 256, 1024)
PAGE_BYTES = mmap.PAGESIZE
CAPABILITY_VERSION = 0x20080522  # of Linux
OVERRIDES = 1 << 1 | 1 << 2  # to write and to read whatever modes say


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
        whole = undisturbed(verbs()[name], folder / name.replace(" ", "-"))
        if isinstance(whole, str):
            tally.add("could not be run", whole)
            continue
        sizes = [path.stat().st_size for path in whole.prepared.rglob("*") if path.is_file()]
        size_kib = sum(math.ceil(size / PAGE_BYTES) * PAGE_BYTES for size in sizes) // 1024  # as they take on tmpfs
        prepared, left = content_of(whole.prepared), content_of(whole.prepared.with_name("whole"))
        replaced = {path for path, text in left.items() if prepared.get(path) != text}
        for room_kib in SMALL_KIB:
            disk = whole.prepared.with_name(f"disk-{room_kib}")
            disk.mkdir()
            options = ["-t", "tmpfs", "-o", f"size={size_kib + room_kib}k", "tmpfs", str(disk)]
            if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
                tally.add("not tried: no leave to mount")
                return tally
            try:
                place = whole.copy(disk / "x")
                before = content_of(place)
                for mode in ("full", "read-only"):
                    if mode == "read-only":
                        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
                    process = Forked(whole.verb.arguments, place, whole.logs)
                    wrong, after = process.wait(), content_of(place)
                    lost = [
                        path
                        for path, text in before.items()
                        if path not in after or (after[path] != text and path not in replaced)
                    ]
                    empty = [path for path, text in after.items() if not text and "lock" not in path]
                    wrong = wrong or (
                        f"{name} lost {lost[0]}" if lost else f"{name} left empty {empty[0]}" if empty else ""
                    )
                    tally.add(f"{mode}, exit code {process.code}", wrong)
            finally:
                subprocess.run(["umount", str(disk)], check=True)
    return tally


def content_of(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder, but journals, which may grow."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".jsonl")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def clock_back(folder: Path, names: list[str]) -> Tally:
    """Begin a verb, kill it, and go on with it 400 days earlier by the clock."""
    tally = Tally("clock set back by 400 days between two calls")
    for name in names:
        whole = undisturbed(verbs()[name], folder / name.replace(" ", "-"))
        if isinstance(whole, str):
            tally.add("could not be run", whole)
            continue
        place = whole.copy(folder / "place")
        begun = Forked(whole.verb.arguments, place, whole.logs)
        time.sleep(whole.taken_s / 2)
        begun.kill(alone=False)
        begun.wait()
        later = Forked(whole.verb.arguments, place, whole.logs, at_first=set_back)
        wrong = later.wait()
        tally.add(f"exit code {later.code}", wrong)
        tally.wrong += whole.differences(place)
        shutil.rmtree(place)
    return tally


def set_back() -> None:
    """Let this process believe that it is earlier by 400 days."""
    real = time.time
    time.time = lambda: real() - 400 * 86_400


def two_at_once(folder: Path, names: list[str]) -> Tally:
    """Start each verb twice on one output; what is left is that of one, and none ends in a traceback."""
    tally = Tally("two processes on one output")
    for name in names:
        whole = undisturbed(verbs()[name], folder / name.replace(" ", "-"))
        if isinstance(whole, str):
            tally.add("could not be run", whole)
            continue
        place = whole.copy(folder / "place")
        pair = [Forked(whole.verb.arguments, place, whole.logs / str(number)) for number in range(2)]
        wrong = [said for said in [one.wait() for one in pair] if said]
        codes = sorted(one.code for one in pair)
        tally.add(f"{name} {json.dumps(codes)}", "" if 0 in codes else f"{name}: neither ended well, {codes}")
        tally.wrong += [*wrong, *whole.differences(place)]
        shutil.rmtree(place)
    return tally


def leave_lost(folder: Path, names: list[str], times: int, rng: np.random.Generator) -> Tally:
    """Let verbs lose their leave to write before a random operation on files, so many times each; then it comes back.

    A verb has to say it, unless it had nothing left to write, and to go on when the same command is given again.
    """
    tally = Tally("leave to write lost midway")
    for name in names:
        whole = undisturbed(verbs()[name], folder / name.replace(" ", "-"))
        if isinstance(whole, str):
            tally.add("could not be run", whole)
            continue
        for _ in range(times):
            place = whole.copy(folder / "place")
            at = int(rng.integers(1, whole.operations + 1))
            forbid = partial(set_modes, place, stat.S_IRUSR | stat.S_IXUSR)
            process = Forked(whole.verb.arguments, place, whole.logs, at_first=obey_modes, at=(at, forbid))
            wrong = process.wait()
            tally.add(f"exit code {process.code}", wrong)
            set_modes(place, stat.S_IRWXU)
            tally.wrong += whole.wrong_after(place)
            shutil.rmtree(place)
    return tally


def set_modes(folder: Path, mode: int) -> None:
    """Give a folder, and all folders in it, a mode."""
    for path in [folder, *(one for one in folder.rglob("*") if one.is_dir() and not one.is_symlink())]:
        path.chmod(mode)


def obey_modes() -> None:
    """Let modes of files bind this process, and what it starts, should it be root's; of Linux."""
    library = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    if library.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    for number in range(2):  # those in effect, and those that it may have
        sets[number] &= ~OVERRIDES & 0xFFFFFFFF
    if library.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")
