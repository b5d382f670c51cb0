"""Where every number comes from, the commands that made it, and how a stranger measures one of them again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....errors import GnomonError
from ....lut import HardwareProfile, load_profile, shipped_profiles
from ....lut.profile_file.store import SUFFIX
from ....search import Run
from ....search.errors import SearchError
from ....search.runs.files.call import Call, read_call
from ....settings import PROFILE, SEARCH, WORKERS, Setting
from ..drawing.numbers import number
from .sources import RunSubject

HARDWARE = ("cpu_model", "cpus", "architecture", "operating_system", "kernel", "virtual_machine")


@dataclass(frozen=True)
class Origin:
    """What something was made from: fields, each with its label, and the command that makes it, "" for none."""

    title: str
    fields: tuple[tuple[str, str], ...]
    command: str


@dataclass(frozen=True)
class Recipe:
    """How to measure one number again in a runtime: what to expect, and lines to paste."""

    runtime: str
    expect: str
    lines: str


def origin_of_profile(profile: HardwareProfile) -> Origin:
    """Return where a profile's numbers come from."""
    header = profile.header
    fields = [
        ("sha256", profile.digest),
        ("made by", f"Gnomon {header.gnomon}, {header.created}"),
        ("space", f"{header.space}, digest {header.space_digest}"),
        (
            "device",
            ", ".join(str(header.hardware.get(field) or "unknown") for field in HARDWARE),
        ),
        *((name, version) for name, version in header.versions.items()),
        ("options", ", ".join(f"{name}={value}" for name, value in header.options.items())),
    ]
    source, out = header.source, ["--out", f"{profile.name}{SUFFIX}"]
    if header.refreshed is not None:
        earlier = header.refreshed
        fields.append(("rescaled from", f"{earlier.name}, sha256 {earlier.sha256}, by {earlier.ratio:.4g}"))
        words = ["gnomon", "profile", "--refresh", argument_of(earlier.name, earlier.sha256), *out]
    elif source.kind == "imported":
        fields.append(("imported from", f"{source.name}, sha256 {source.sha256}"))
        words = [*import_words(profile), *out]
    elif source.kind == "transferred":
        fields.append(("corrected from", f"{source.name}, sha256 {source.sha256}"))
        words = [*profile_words(profile), "--from", argument_of(source.name, source.sha256)]
        words += ["--samples", str(len(profile.networks)), *out]
    elif source.name:  # what several machines measured
        fields.append(("merged from", source.name))
        words = []  # the files of the parts are not known
    else:
        words = [*profile_words(profile), *chosen_words({"networks": len(profile.networks)}, PROFILE), *out]
    return Origin(profile.name, tuple(fields), shlex.join(words))


def profile_words(profile: HardwareProfile) -> list[str]:
    """Return the command line of a measured profile, without its networks and its file."""
    header, config = profile.header, profile.header.config
    asked = {"precision": config.precision, "threads": config.threads, "batch": config.batch}
    return ["gnomon", "profile", header.space, "--backend", header.backend, *chosen_words(asked, PROFILE)]


def import_words(profile: HardwareProfile) -> list[str]:
    """Return the command line that imports a profile's table; facts that the table says itself do no harm."""
    header, config = profile.header, profile.header.config
    facts = {
        "backend": header.backend,
        "device": header.device,
        "processor": config.device,
        "precision": config.precision,
        "threads": config.threads,
        "batch": config.batch,
        "runtime-version": header.versions.get(header.backend),
    }
    options = [word for name, fact in facts.items() if fact is not None for word in (f"--{name}", str(fact))]
    return ["gnomon", "lut", "import", header.source.name, header.space, *options]


def origin_of_run(subject: RunSubject) -> Origin:
    """Return where a run's numbers come from."""
    run, provenance = subject.run, subject.run.header.provenance
    sources = [*provenance.sources.items(), *((d.label, d) for d in provenance.deployments)]
    fields = [
        ("space", f"{run.config.space}, digest {run.header.space_digest}"),
        *((f"profile of {name}", f"{source.name}, sha256 {source.sha256}") for name, source in sources),
        ("checkpoint", f"sha256 {provenance.checkpoint_sha256}" if provenance.checkpoint_sha256 else "none"),
        ("data", provenance.data or "the embedded sample, or none"),
        *run.header.versions.items(),
    ]
    return Origin(str(run.folder), tuple(fields), shlex.join(search_words(run)))


def argument_of(name: str, digest: str) -> str:
    """Return what names a profile on the command line: its shipped name where it is one, else its file."""
    for shipped in shipped_profiles():
        if shipped.rpartition("/")[2] == name and load_profile(shipped).digest == digest:
            return shipped
    return f"{name}{SUFFIX}"


def search_words(run: Run) -> list[str]:
    """Return the command line of a run: what differs from the defaults, its profiles, and how it was called."""
    provenance, config = run.header.provenance, run.config
    words = ["gnomon", "search", config.space]
    for name, source in provenance.sources.items():
        device = name.partition("@")[2]
        argument = argument_of(source.name, source.sha256)
        words += ["--profile", f"{device}={argument}" if device else argument]
    for deployment in provenance.deployments:
        words += ["--profile", argument_of(deployment.name, deployment.sha256)]
    words += chosen_words({name: getattr(config, name) for name in SEARCH}, SEARCH)
    call = read_call(run.folder)
    if call is None:  # of a study, or of before runs kept it
        call = Call(data=provenance.data, start_from=None if run.start is None else run.start.header.name)
    given = {"checkpoint": call.checkpoint, "data": call.data, "from": call.start_from, "timeout": call.timeout_s}
    words += [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
    words += ["--isolate"] if call.isolate else []
    words += chosen_words({name: getattr(call, name) for name in WORKERS}, WORKERS)
    return [*words, "--out", str(run.folder)]


def chosen_words(values: Mapping[str, Any], settings: Mapping[str, Setting]) -> list[str]:
    """Return the options of those settings whose values are not the defaults."""
    words = []
    for name, value in values.items():
        setting = settings[name]
        if value != setting.default and value is not None:
            option = (setting.option or name).replace("_", "-")
            texts = [str(one) for one in value] if isinstance(value, tuple) else [str(value)]
            texts = texts if setting.is_repeated else [(setting.separator or ",").join(texts)]
            words += [word for text in texts for word in (f"--{option}", text)]
    return words


def export_words(folder: str, pick: str, profiles: Sequence[HardwareProfile]) -> list[str]:
    """Return the command line that exports a member of a front."""
    named = [word for profile in profiles for word in ("--profile", argument_of(profile.name, profile.digest))]
    return ["gnomon", "export", folder, "--pick", pick, *named, "--out", "exported"]


def recipes_of_run(subject: RunSubject) -> list[Recipe]:
    """Return how to measure the latency of a run's knee again, in each runtime that it was priced for."""
    run = subject.run
    try:
        front = run.front()
    except SearchError:
        return []
    knee = front.knee()
    names = [objective.name for objective in run.objectives]
    value = dict(zip(front.ids, front.values))[knee.id][names.index("latency")] if "latency" in names else None
    if value is None or not subject.profiles:
        return []
    deployment = run.deployment(knee)
    profiles = [p for p in subject.profiles if deployment is None or p.digest == deployment.sha256]
    export = shlex.join(export_words(str(run.folder), knee.id, subject.profiles))
    return [recipe(profile, f"the knee, {knee.id}", value, export) for profile in profiles[:1]]


def recipes_of_profile(profile: HardwareProfile) -> list[Recipe]:
    """Return how to measure the first whole network of a profile again."""
    try:
        parts = profile.space.parts
    except GnomonError:
        return []  # another version of the space: the facts of the profile say so
    if not profile.networks or len(parts) > 1 or parts[0].runs > 1:
        return []  # several models that feed each other are run by the export's own check
    record, measured = profile.networks[0], profile.network_measurements[0]
    write = WRITE.format(space=profile.header.space, genes=list(record.indices))
    return [recipe(profile, f"network {record.id}, measured in this profile", measured.value_us, write)]


def recipe(profile: HardwareProfile, what: str, value_us: float, make: str) -> Recipe:
    """Return what to paste to measure `exported/model.onnx` as the profile's runtime did."""
    config, runtime = profile.header.config, profile.header.backend.partition(":")[0]
    expect = f"{what}: {number(value_us)} us on {profile.header.device}, {config.precision}, {config.threads} thread(s)"
    lines = RUNTIMES.get(runtime, "gnomon export times the model itself, and prints predicted against measured.")
    pinning = "NO" if profile.header.options.get("ENABLE_CPU_PINNING") is False else "YES"
    lines = lines.replace("THREADS", str(config.threads)).replace("PINNING", pinning)
    return Recipe(profile.header.backend, expect, f"{make}\n\n{lines}")


WRITE = """python - <<'END'
from pathlib import Path
from gnomon.supernets import load_space
from gnomon.supernets.graph import models_from_architecture
space = load_space({space!r})
part, = models_from_architecture(space, space.architecture({genes}))
Path("exported").mkdir(exist_ok=True)
Path("exported/model.onnx").write_bytes(part.model)
END"""
RUNTIMES = {
    "onnxruntime": """python - <<'END'
import statistics, time
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = THREADS
session = onnxruntime.InferenceSession("exported/model.onnx", options, providers=["CPUExecutionProvider"])
kinds = {"tensor(float)": numpy.float32, "tensor(int64)": numpy.int64, "tensor(int32)": numpy.int32}
feed = {i.name: numpy.ones(i.shape, kinds[i.type]) for i in session.get_inputs()}
def once(start=time.perf_counter): begin = start(); session.run(None, feed); return 1e6 * (start() - begin)
times = [once() for _ in range(5000)][500:]
print(f"{statistics.median(times):.2f} us, the fastest quarter below {statistics.quantiles(times)[0]:.2f} us")
END""",
    "openvino": "benchmark_app -m exported/model.onnx -d CPU -hint none -api sync -niter 5000 \\\n"
    "  -nstreams 1 -nthreads THREADS -pin PINNING",
    "tensorrt": "trtexec --onnx=exported/model.onnx --iterations=5000 --useCudaGraph",
}
