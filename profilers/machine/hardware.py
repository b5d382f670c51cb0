"""Which machine this is, as far as it changes a latency.

Everything is read from the operating system, and None where it does not say; nothing is guessed. Load, clocks and
temperatures move by the second and are not part of a fingerprint: see `noise`, whose checks are offered from here.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from .noise import CoreNoise, NoiseCause, advice, core_noise, noise_causes
from .sysfs import ROOT, cpuinfo, kib_from_size, numbers_from_list, read_int, read_text

__all__ = ["CoreNoise", "Hardware", "NoiseCause", "advice", "core_noise", "fingerprint", "noise_causes"]

ISA_FLAGS = (
    *("sse4_1", "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx_vnni_int8"),
    *("avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16"),
    *("amx_tile", "amx_int8", "amx_bf16", "amx_fp16"),
    *("asimd", "asimdhp", "asimddp", "fphp", "sve", "sve2", "i8mm", "bf16", "sme"),
)
ARM_VENDORS = {  # the kernel gives Arm makers a number only
    "0x41": "Arm",
    "0x48": "HiSilicon",
    "0x4e": "NVIDIA",
    "0x51": "Qualcomm",
    "0x61": "Apple",
    "0xc0": "Ampere",
}
SLUG_NOISE = r"\((?:r|tm|c)\)|\bcpu\b|\bprocessor\b|\bwith\b.*|@.*|\b\d+-core\b|\b[\d.]+ghz\b"


@dataclass(frozen=True)
class Hardware:
    """A machine's fingerprint; two machines with equal fingerprints are taken to be the same device.

    cpu_family: vendor's family, model and stepping (or Arm part), as the kernel numbers them.
    cores: physical cores; caches: (level and type, KiB a cache, CPUs sharing one); isa: flags kernels choose by.
    virtual_machine: the hypervisor's name, "" for a bare machine. turbo: whether clocks may exceed the base clock.
    gpu: the GPUs of NVIDIA, None without one; they change nothing on the CPU, and are compared among the versions.
    """

    cpu_model: Optional[str]
    cpu_vendor: Optional[str]
    cpu_family: Optional[str]
    cpus: Optional[int]
    cores: Optional[int]
    threads_per_core: Optional[int]
    caches: Tuple[Tuple[str, int, int], ...]
    memory_mib: Optional[int]
    isa: Tuple[str, ...]
    architecture: str
    operating_system: str
    kernel: str
    board: Optional[str]
    virtual_machine: Optional[str]
    governor: Optional[str]
    turbo: Optional[bool]
    gpu: Optional[str] = field(default=None, compare=False)

    @property
    def slug(self) -> str:
        """A short name for files, such as ``amd-epyc-2c``: maker and model, then CPUs."""
        words = _words(self.board or self.cpu_model or self.architecture)
        return "-".join([*words, f"{self.cpus}c"] if self.cpus else words) or "unknown"

    def slug_of(self, device: str) -> str:
        """Return the short name of what runs a model: of the GPU for ``gpu``, where its maker's driver names it."""
        gpu_words = _words(self.gpu or "") if device == "gpu" and not self.board else []
        return "-".join(gpu_words) or self.slug

    def to_json(self) -> Dict[str, Any]:
        """Return the fields as a JSON object."""
        return dict(asdict(self), caches=[list(cache) for cache in self.caches], isa=list(self.isa))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Hardware:
        """Return the hardware written by `to_json`; ValueError for a missing or unknown field."""
        known = {entry.name for entry in fields(cls)}
        if set(data) | {"gpu"} != known:  # fingerprints of earlier versions name no GPU
            raise ValueError(f"a hardware fingerprint has the fields {sorted(known)}; found {sorted(data)}")
        caches = tuple((str(name), int(kib), int(shared)) for name, kib, shared in data["caches"])
        return cls(**dict(data, caches=caches, isa=tuple(data["isa"])))


def fingerprint(root: str | Path = ROOT) -> Hardware:
    """Return the fingerprint of this machine; ``root`` is where /proc and /sys are looked for."""
    root = Path(root)
    info = cpuinfo(root)
    flags = set((info.get("flags") or info.get("features") or info.get("isa") or "").split())
    cpus = os.cpu_count() if root == ROOT else len(_online(root)) or None
    threads_per_core = _threads_per_core(root)
    return Hardware(
        cpu_model=_cpu_model(info),
        cpu_vendor=info.get("vendor_id") or ARM_VENDORS.get(info.get("cpu implementer", "").lower()),
        cpu_family=_cpu_family(info),
        cpus=cpus,
        cores=cpus // threads_per_core if cpus and threads_per_core else None,
        threads_per_core=threads_per_core,
        caches=_caches(root),
        memory_mib=_memory_mib(root),
        isa=tuple(flag for flag in ISA_FLAGS if flag in flags),
        architecture=platform.machine(),
        operating_system=platform.system(),
        kernel=platform.release(),
        board=read_text(root, "proc/device-tree/model"),
        virtual_machine=_virtual_machine(root, info),
        governor=read_text(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        turbo=_turbo(root),
        gpu=", ".join(gpu_models(root)) or None,
    )


def gpu_models(root: Path = ROOT) -> Tuple[str, ...]:
    """Return the models of all GPUs of NVIDIA, as far as the kernel's driver tells them."""
    files = sorted((root / "proc/driver/nvidia/gpus").glob("*/information"))
    texts = [read_text(root, str(path.relative_to(root))) or "" for path in files]
    models = [re.search(r"^Model:\s*(.*\S)", text, re.MULTILINE) for text in texts]
    return tuple(model[1] for model in models if model)


def _words(name: str) -> List[str]:
    return re.findall(r"[a-z0-9]+", re.sub(SLUG_NOISE, " ", name.lower()))[:4]


def _cpu_model(info: Mapping[str, str]) -> Optional[str]:
    named = info.get("model name") or info.get("hardware")
    if named:
        return named
    if sys.platform == "darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string")
    return platform.processor() or None


def _cpu_family(info: Mapping[str, str]) -> Optional[str]:
    names = ("cpu family", "model", "stepping") if "cpu family" in info else ("cpu part", "cpu variant", "cpu revision")
    numbers = [info[name] for name in names if name in info]
    return "/".join(numbers) or None


def _threads_per_core(root: Path) -> Optional[int]:
    siblings = read_text(root, "sys/devices/system/cpu/cpu0/topology/thread_siblings_list")
    return len(numbers_from_list(siblings)) or None if siblings else None


def _online(root: Path) -> Tuple[int, ...]:
    return tuple(numbers_from_list(read_text(root, "sys/devices/system/cpu/online") or ""))


def _caches(root: Path) -> Tuple[Tuple[str, int, int], ...]:
    found = []
    for index in range(8):
        folder = f"sys/devices/system/cpu/cpu0/cache/index{index}"
        level = read_int(root, f"{folder}/level")
        size = kib_from_size(read_text(root, f"{folder}/size") or "")
        if level is None or size is None:
            continue
        kind = {"Data": "d", "Instruction": "i"}.get(read_text(root, f"{folder}/type") or "", "")
        shared = len(numbers_from_list(read_text(root, f"{folder}/shared_cpu_list") or "")) or 1
        found.append((f"L{level}{kind}", size, shared))
    return tuple(found)


def _memory_mib(root: Path) -> Optional[int]:
    match = re.search(r"^MemTotal:\s*(\d+) kB", read_text(root, "proc/meminfo") or "", re.MULTILINE)
    if match:
        return int(match.group(1)) // 1024
    if sys.platform == "darwin":
        size = _output("sysctl", "-n", "hw.memsize")
        return int(size) // 2**20 if size and size.isdigit() else None
    return None


def _virtual_machine(root: Path, info: Mapping[str, str]) -> Optional[str]:
    if not info:
        return None
    product = " ".join(
        read_text(root, f"sys/class/dmi/id/{name}") or "" for name in ("sys_vendor", "product_name")
    ).strip()
    if "hypervisor" in info.get("flags", "").split():
        return read_text(root, "sys/hypervisor/type") or product or "unnamed hypervisor"
    return ""


def _turbo(root: Path) -> Optional[bool]:
    no_turbo = read_int(root, "sys/devices/system/cpu/intel_pstate/no_turbo")
    if no_turbo is not None:
        return no_turbo == 0
    boost = read_int(root, "sys/devices/system/cpu/cpufreq/boost")
    return None if boost is None else boost == 1


def _output(*command: str) -> Optional[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None
