"""Small valid files that hostile ones are made of: of a space of twelve networks, in a millisecond or two each.

What is large in a real file is many records of a kind, and reading one takes as much code as reading a hundred.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from gnomon.lut.kernels.graph.cost import Cost
from gnomon.lut.kernels.profile_file.profile import digest_of, seal_kernels
from gnomon.lut.kernels.profile_file.records import CallRecord, KernelHeader, KernelRecord, ModelRecord, SourceRecord
from gnomon.lut.latency_model.fit_report import FitReport
from gnomon.lut.profile_file.schema import (
    AnchorRecord,
    FailureRecord,
    LayerRecord,
    NetworkRecord,
    PriorRecord,
    ProfileConfig,
    ProfileContention,
    ProfileHeader,
)
from gnomon.lut.profile_file.store import seal
from gnomon.supernets import Architecture, Choice, LayerSpec, SearchSpace, Slot

SPACE = "specks"
POINTS = f"[gnomon.spaces]\n{SPACE} = fault_trials.small:build\n"
BLOCK = {"kernel": 3, "stride": 1, "out_channels": 8, "activation": "relu", "se_channels": 0, "residual": 1}
NETWORKS = 10  # the fewest that verify a latency model
HARDWARE = {"cpu_model": "a processor", "cpus": 2, "architecture": "x86_64"}


def build() -> SearchSpace:
    """Return the space."""
    choices = (Choice("expand", (2, 4)), Choice("depth", (1, 2)), Choice("width", (1, 2, 3)))

    def block(position: int) -> Slot:
        def layer(expand: int, depth: int) -> LayerSpec | None:
            return None if position > depth else LayerSpec.of("mbconv", (8, 8, 8), mid_channels=8 * expand, **BLOCK)

        return Slot.tabulate(f"block{position}", choices, ["expand", "depth"], layer)

    def head(width: int) -> LayerSpec:
        return LayerSpec.of("head", (8, 8, 8), final_channels=16 * width, mix_channels=0, classes=10)

    stem = LayerSpec.of("stem", (1, 16, 16), kernel=3, stride=2, out_channels=8, activation="relu")
    slots = (Slot("stem", (), (), (stem,)), block(1), block(2), Slot.tabulate("head", choices, ["width"], head))
    return SearchSpace(SPACE, "none", (1, 16, 16), choices, slots)


def plug_in_space(folder: Path) -> SearchSpace:
    """Make the space known by name to this process; `folder` is to keep the entry point."""
    info = folder / "gnomon_specks-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gnomon-specks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    sys.path.insert(0, str(folder))
    return build()


def small_profile(space: SearchSpace, path: Path) -> bytes:
    """Return a hardware profile of two processes, one of them with probes, and write it at `path`."""
    rng = np.random.default_rng(0)
    rows = list(itertools.product(*(range(len(choice.options)) for choice in space.choices)))[:NETWORKS]
    layers = {spec.key: 20.0 + 5 * number for number, spec in enumerate(space.unique_layers())}

    def timed(us: float, at_s: float) -> dict[str, object]:
        blocks = tuple(tuple(round(float(us * rng.uniform(1, 1.02)), 3) for _ in range(2)) for _ in range(2))
        probe = tuple(tuple(round(float(rng.uniform(9, 10)), 3) for _ in range(3)) for _ in range(2))
        switches = ((0, 0), (0, 1))
        return {"loops": 4, "block_us": blocks, "at_s": (at_s, 60 + at_s), "probe_us": probe, "switches": switches}

    def network_us(row: tuple[int, ...]) -> float:
        return 2 + sum(layers[spec.key] for spec in space.layers(Architecture(space.name, row)))

    records = [LayerRecord(key=key, **timed(us, 2.0 + n)) for n, (key, us) in enumerate(layers.items())]
    records += [
        NetworkRecord(id=Architecture(space.name, row).id, indices=row, **timed(network_us(row), 20.0 + n))
        for n, row in enumerate(rows)
    ]
    records += [
        AnchorRecord(key="anchor:a", session=session, t_s=float(n), value_us=50.0 + n % 3, clean=bool(n % 2))
        for session, visits in (("one", 5), ("two", 2))
        for n in range(visits)
    ]
    records += [FailureRecord(key="another", reason="it was refused"), PriorRecord(key="unmeasured", value_us=3.5)]
    header = ProfileHeader(
        space=space.name,
        space_digest=space.digest,
        session_starts_s={"one": 0.0, "two": 60.0},
        contention=ProfileContention(time_share=0.1, slow_down=1.5, spell_ms=20.0, disturbed_layers=0),
        **measured_on(),
    )
    seal(path, header, records, FitReport.unverified("plain sum"))
    return path.read_bytes()


def small_kernels(path: Path) -> bytes:
    """Return a kernel profile, with kernels of another device too, and write it at `path`."""
    costs = {f"kernel {n}": Cost(**dict.fromkeys(Cost.__dataclass_fields__, 100.0 * n)) for n in range(1, 5)}

    def timed(key: str, us: float) -> LayerRecord:
        return LayerRecord(key=key, loops=1, block_us=((us, us * 1.01), (us, us)), at_s=(1.0, 2.0))

    records: list[object] = [CallRecord(timed=timed("call", 3.0))]
    for n, (key, cost) in enumerate(list(costs.items())[:3], 1):
        took = timed(digest_of(key), 3.0 + 5 * n)
        records.append(KernelRecord(key=key, operator="Conv", copies=n, cost=asdict(cost), timed=took))
    calls = {digest_of(key): 1 for key in list(costs)[:2]}
    records.append(ModelRecord(name="a", calls=calls, added=calls, timed=timed("model:a", 20.0)))
    records += [
        SourceRecord(key=key, operator="Conv", cost=asdict(cost), value_us=2.0 + n)
        for n, (key, cost) in enumerate(costs.items())
    ]
    records += [
        AnchorRecord(key="anchor:a", session="one", t_s=float(n), value_us=50.0 + n % 3, clean=None) for n in range(5)
    ]
    header = KernelHeader(session_starts_s={"one": 0.0}, **measured_on())
    seal_kernels(path, header, records, force=True)
    return path.read_bytes()


def measured_on() -> dict[str, object]:
    """Return the fields that headers of both kinds of profile have."""
    return {
        "gnomon": "0",
        "backend": "onnxruntime",
        "config": ProfileConfig(device="cpu", precision="fp32", threads=1, batch=1),
        "versions": {"onnxruntime": "1.20.0"},
        "options": {"provider": "CPUExecutionProvider"},
        "device": "a-device",
        "hardware": HARDWARE,
        "policy": {"block_us": 200.0},
        "plan": "0" * 16,
        "created": "2026-01-01T00:00:00+00:00",
        "sessions": 2,
        "seconds": 100.0,
    }
