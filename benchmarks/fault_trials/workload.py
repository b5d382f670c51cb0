"""The verbs that write, on a super-network so small that hundreds of runs are cheap, and what each leaves.

The super-network, its task and its recipe are those of another package in `tests/third_party`: scikit-learn's digits.
What a verb leaves is compared with what it leaves when nothing disturbs it, as far as it does not hold times.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SPACE = "digits_net"
SHIPPED = "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"
WEIGHTS = ["--checkpoint", "w.safetensors"]
SEARCH = ["search", "--space", SPACE, *WEIGHTS, "--objectives", "macro_f1,macs"]
RUN = [*SEARCH, "--budget", "8", "--tactic", "random", "--out", "run"]
QUICK = ["--networks", "10", "--time-cap-s", "1"]
TRAIN = ["train", SPACE, "--epochs", "3", "--batch", "100", "--augmentation", "none", "--out", "w.safetensors"]
BUNDLE = ["bundle", "create", "--space", SPACE, *QUICK, "--out", "b.zip"]
RUN_BUNDLE = ["bundle", "run", "b.zip", "--backend", "onnxruntime"]
PROFILE = ["profile", "--space", SPACE, "--backend", "onnxruntime", *QUICK]
KERNELS = ["profile", "--kernels", *QUICK]
SOURCE = [*KERNELS, "--out", "source.jsonl"]
OF_TIME = ("seconds", "elapsed_s", "crc32", "expected")
THIRD_PARTY = Path(__file__).parents[2] / "tests" / "third_party"
POINTS = "[gnomon.tasks]\ndigits = digits_task\n[gnomon.spaces]\ndigits_net = digits_net:DigitsNet\n"
POINTS += "[gnomon.recipes]\ndigits_net = digits_net\n"
FLEET = """store = "store"
[[boards]]
name = "desk"
device = "local"
[[profiles]]
space = "digits_net"
networks = 10
time_cap_s = 1
[[profiles]]
space = "digits_net"
batch = 2
networks = 10
time_cap_s = 1
"""


@dataclass(frozen=True)
class Verb:
    """A command in a folder, what it needs there, and what it leaves, as something that can be compared.

    What `prepare` changes in this process holds in its forks.
    """

    name: str
    arguments: list[str]
    left: Callable[[Path], object]
    needs: tuple[list[str], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None


def plug_in(folder: Path) -> None:
    """Make the super-network known by name, to this process and its children; `folder` is to keep the entry points."""
    info = folder / "gnomon_digits-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gnomon-digits\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    places = [str(folder), str(THIRD_PARTY)]
    sys.path[:0] = places
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [*places, os.environ.get("PYTHONPATH")]))


def lines_of(folder: Path) -> object:
    """Return a run's evaluations without their times."""
    from gnomon import load_run

    load_run(folder / "run")
    lines = [json.loads(line) for line in (folder / "run" / "evaluations.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in OF_TIME} for line in lines]


def profiled(*names: str) -> Callable[[Path], object]:
    """Return a function that says which layers and networks profiles hold."""

    def left(folder: Path) -> object:
        from gnomon import load_profile

        profiles = [load_profile(folder / name) for name in names]
        return [(sorted(one.table.measurements), sorted(network.id for network in one.networks)) for one in profiles]

    return left


def exported(folder: Path) -> object:
    """Return what files an export has, of which architecture it is, and its model."""
    record, model = json.loads((folder / "exported" / "model.json").read_text()), digest_of("exported/model.onnx")
    return sorted(path.name for path in (folder / "exported").iterdir()), record["architecture"], model(folder)


def final_of(folder: Path) -> object:
    """Return the members of a final front with their values on the other split."""
    from gnomon import load_run
    from gnomon.search.final.front import load_final

    final = load_final(load_run(folder / "run"))
    return None if final is None else [(member.id, member.report) for member in final.members]


def digest_of(name: str) -> Callable[[Path], object]:
    """Return a function that returns the SHA-256 of a file."""
    return lambda folder: hashlib.sha256((folder / name).read_bytes()).hexdigest()


def bundled(folder: Path) -> object:
    """Return what a bundle holds, each file with its checksum."""
    with zipfile.ZipFile(folder / "b.zip") as bundle:
        return sorted((entry.filename, entry.CRC) for entry in bundle.infolist())


def text_of(name: str) -> Callable[[Path], object]:
    """Return a function that returns the content of a file without times."""
    return lambda folder: (folder / name).read_text()


def page_of(name: str) -> Callable[[Path], object]:
    """Return a function that tells whether a report is whole."""
    return lambda folder: (folder / name).read_text().rstrip().endswith("</html>")


def results_of(folder: Path) -> object:
    """Return which models a bundle's results hold."""
    from gnomon.profilers import read_results

    (path,) = folder.glob("b/results*.jsonl")
    results = read_results(path)
    return results.is_complete, sorted(results.measurements)


def kernels_of(folder: Path) -> object:
    """Return which kernels and networks a kernel profile holds."""
    from gnomon.lut.kernels.profile_file.profile import load_kernel_profile

    profile = load_kernel_profile(folder / "k.jsonl")
    return sorted(profile.measured), sorted(profile.kernels), sorted(one.name for one in profile.models)


def sample_small_networks() -> None:
    """Let profiles of kernels be of the smallest networks only: tens of kernels, not thousands."""
    from gnomon.lut.kernels.measuring import build
    from gnomon.lut.kernels.sample import images

    build.FAMILIES = (images.small,)
    build.NETWORKS_A_PIECE = 1_000


def fleet_of(folder: Path) -> object:
    """Return which layers and networks the profiles of a fleet hold."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.glob("store/*/*.jsonl"))
    return files, profiled(*files)(folder)


def verbs() -> dict[str, Verb]:
    """Return the verbs that write, by name."""
    to_merge = tuple([*PROFILE, "--out", f"{name}.jsonl"] for name in ("one", "two"))
    every = (
        Verb("search", RUN, lines_of, (TRAIN,)),
        Verb("profile", [*PROFILE, "--out", "p.jsonl"], profiled("p.jsonl")),
        Verb("finish", ["finish", "run", "--controls", "2", *WEIGHTS], final_of, (TRAIN, RUN)),
        Verb(
            "export",
            ["export", "run", "--pick", "knee", "--no-timing", *WEIGHTS, "--out", "exported"],
            exported,
            (TRAIN, RUN),
        ),
        Verb("bundle create", BUNDLE, bundled),
        Verb("bundle run", RUN_BUNDLE, results_of, (BUNDLE,)),
        Verb(
            "bundle import",
            ["bundle", "import", "b.zip", "b/results-onnxruntime-t1.jsonl", "--out", "i.jsonl"],
            profiled("i.jsonl"),
            (BUNDLE, RUN_BUNDLE),
        ),
        Verb("train", TRAIN, digest_of("w.safetensors")),
        Verb("report", ["report", "run", "--out", "r.html"], page_of("r.html"), (TRAIN, RUN)),
        Verb("runs export", ["runs", "export", "run", "--out", "r.csv"], text_of("r.csv"), (TRAIN, RUN)),
        Verb("lut export", ["lut", "export", SHIPPED, "--out", "t.csv"], text_of("t.csv")),
        Verb(
            "lut merge",
            ["lut", "merge", "one.jsonl", "two.jsonl", "--out", "m.jsonl"],
            profiled("m.jsonl"),
            to_merge,
        ),
        Verb("fleet", ["fleet", "fleet.toml"], fleet_of, files={"fleet.toml": FLEET}),
        Verb(
            "profile --kernels",
            [*KERNELS, "--from", "source.jsonl", "--out", "k.jsonl"],
            kernels_of,
            (SOURCE,),
            prepare=sample_small_networks,
        ),
    )
    return {verb.name: verb for verb in every}
