"""Hostile inputs that are kept and changed further where they reach new code: fuzzing by coverage, with atheris.

    python -m fault_trials.coverage READER FOLDER SECONDS SEED

Started by `faults.py --only coverage`, a process a reader, since atheris never returns. Inputs are changed as in
`fuzz.py`, so that they pass checksums and digests, and sometimes as atheris changes bytes. What is wrong is what is
wrong there. The package is optional: pip install atheris (Linux, x86-64).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from .command import Tally

FROM_ATHERIS = 0.2  # of the changes
LIMIT_S = 10  # of processor time: code that tells what it covers is slow
INSTRUMENTED = [
    "gnomon.profilers",
    "gnomon.lut",
    "gnomon.search",
    "gnomon.inputs",
    "gnomon.cli.options",
    "gnomon.supernets.space",
]
INSTRUMENTED += ["zipfile", "tomllib"]


def fuzzed_by_coverage(names: list[str], seconds: float, folder: Path, seed: int) -> list[Tally]:
    """Fuzz each reader for so long, in a process of its own, and return what the trials came to."""
    tallies = []
    for name in names:
        tally, place = Tally(f"coverage-guided {name}"), folder / name.replace(" ", "-")
        place.mkdir(parents=True)
        command = [sys.executable, "-m", "fault_trials.coverage", name, str(place), str(seconds), str(seed)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        try:
            found = json.loads(ended.stdout.splitlines()[-1])
        except (ValueError, IndexError):
            tally.add("could not be run", f"exit code {ended.returncode}: {ended.stderr.strip()[-300:]}")
        else:
            tally.counts.update(found["counts"])
            tally.wrong += found["wrong"]
            print(f"  {found['kept']} inputs of {name} were kept as they reached new code", file=sys.stderr, flush=True)
        tallies.append(tally)
    return tallies


def main(name: str, folder: Path, seconds: float, seed: int) -> None:
    """Fuzz one reader; prints counts as JSON, and ends the process."""
    import atheris

    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with atheris.instrument_imports(include=INSTRUMENTED):
        from .fuzz import hostile_of
        from .readers import readers
        from .trial import tried, wrong
        from .watch import Watch

    reader = readers(folder)[name]
    corpus, path, tally, watch = folder / "corpus", folder / reader.file, Tally(name), Watch(folder)
    corpus.mkdir()
    (corpus / "seed").write_bytes(reader.contents[0])
    ends_s = time.monotonic() + seconds

    def one(content: bytes) -> None:
        path.write_bytes(content)
        with watch.watching():
            tried(tally, lambda: reader.read(path), content, limit_s=LIMIT_S)
        if seen := watch.taken():
            wrong(tally, "did what no reader does", seen, content)
        if time.monotonic() > ends_s:
            kept = len(list(corpus.iterdir())) - 1
            print(json.dumps({"counts": tally.counts, "wrong": tally.wrong, "kept": kept}), file=replies, flush=True)
            os._exit(0)

    def changed(content: bytes, most: int, number: int) -> bytes:
        rng = np.random.default_rng(number)
        if rng.random() < FROM_ATHERIS:
            return bytes(atheris.Mutate(content, most))
        try:
            return (reader.hostile or hostile_of(content))(content, rng)[:most]
        except Exception:  # it was damaged before, so that its parts cannot be changed any more
            return bytes(atheris.Mutate(content, most))

    options = [f"-seed={seed + 1}", "-handle_alrm=0", "-timeout=0", "-rss_limit_mb=0", "-max_len=1000000"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
