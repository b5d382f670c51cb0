import json

import pytest

from gnomon.profilers import Hardware, fingerprint

LAPTOP = {
    "proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 154\nstepping\t: 3\n"
    "model name\t: 12th Gen Intel(R) Core(TM) i7-1260P CPU @ 2.10GHz\nflags\t\t: fpu sse4_1 avx2 fma avx_vnni\n",
    "proc/meminfo": "MemTotal:       16384000 kB\n",
    "sys/devices/system/cpu/online": "0-3\n",
    "sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0-1\n",
    "sys/devices/system/cpu/cpu0/cache/index0/level": "1\n",
    "sys/devices/system/cpu/cpu0/cache/index0/type": "Data\n",
    "sys/devices/system/cpu/cpu0/cache/index0/size": "48K\n",
    "sys/devices/system/cpu/cpu0/cache/index0/shared_cpu_list": "0-1\n",
    "sys/devices/system/cpu/cpu0/cache/index3/level": "3\n",
    "sys/devices/system/cpu/cpu0/cache/index3/type": "Unified\n",
    "sys/devices/system/cpu/cpu0/cache/index3/size": "18M\n",
    "sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_list": "0-3\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
    "sys/devices/system/cpu/intel_pstate/no_turbo": "0\n",
}
BOARD = {
    "proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\nCPU implementer\t: 0x41\n"
    "CPU part\t: 0xd0b\nCPU variant\t: 0x4\nCPU revision\t: 1\n",
    "proc/device-tree/model": "Raspberry Pi 5 Model B\0",
    "sys/devices/system/cpu/online": "0-3",
}


@pytest.fixture
def machine(tmp_path):
    """Return a function that lays out a made-up /proc and /sys."""

    def make(files):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        return tmp_path

    return make


def test_a_laptop_is_described(machine):
    found = fingerprint(machine(LAPTOP))
    assert (found.cpu_vendor, found.cpu_family) == ("GenuineIntel", "6/154/3")
    assert (found.cpus, found.cores, found.threads_per_core) == (4, 2, 2)
    assert found.caches == (("L1d", 48, 2), ("L3", 18_432, 4))
    assert found.memory_mib == 16_000
    assert found.isa == ("sse4_1", "fma", "avx2", "avx_vnni")
    assert (found.governor, found.turbo, found.virtual_machine) == ("powersave", True, "")
    assert found.slug == "12th-gen-intel-core-4c"


def test_an_arm_board_is_described(machine):
    found = fingerprint(machine(BOARD))
    assert (found.cpu_vendor, found.cpu_family) == ("Arm", "0xd0b/0x4/1")
    assert found.isa == ("asimd", "asimddp", "i8mm")
    assert found.slug == "raspberry-pi-5-model-4c"
    assert found.governor is None


def test_a_virtual_machine_is_recognised(machine):
    files = dict(LAPTOP, **{"sys/class/dmi/id/sys_vendor": "QEMU", "sys/class/dmi/id/product_name": "Standard PC"})
    files["proc/cpuinfo"] = files["proc/cpuinfo"].replace("fpu", "fpu hypervisor")
    assert fingerprint(machine(files)).virtual_machine == "QEMU Standard PC"


def test_a_system_that_says_nothing_is_described_by_none(tmp_path):
    found = fingerprint(tmp_path)
    assert (found.cpus, found.cores, found.caches, found.governor, found.turbo) == (None, None, (), None, None)
    assert found.slug


@pytest.mark.parametrize(
    ("cpu_model", "cpus", "slug"),
    [
        ("AMD EPYC", 2, "amd-epyc-2c"),
        ("AMD EPYC 7R13 48-Core Processor", 96, "amd-epyc-7r13-96c"),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", 2, "intel-xeon-2c"),
        ("AMD Ryzen 7 7840U with Radeon 780M Graphics", 16, "amd-ryzen-7-7840u-16c"),
        ("Apple M3", 8, "apple-m3-8c"),
    ],
)
def test_slugs_are_short_and_fit_for_file_names(machine, cpu_model, cpus, slug):
    files = {"proc/cpuinfo": f"model name: {cpu_model}\n", "sys/devices/system/cpu/online": f"0-{cpus - 1}"}
    assert fingerprint(machine(files)).slug == slug


def test_what_runs_on_a_gpu_is_named_after_it(machine):
    without = fingerprint(machine(LAPTOP))
    gpu = {"proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA H200\nIRQ:   \t\t 77\n"}
    found = fingerprint(machine({**LAPTOP, **gpu}))
    assert (found.slug_of("gpu"), found.slug_of("cpu")) == ("nvidia-h200", "12th-gen-intel-core-4c")
    assert without.slug_of("gpu") == without.slug
    assert without == found  # a card that is plugged in changes nothing on the CPU


def test_fingerprints_of_earlier_versions_name_no_gpu(machine):
    found = fingerprint(machine(LAPTOP)).to_json()
    del found["gpu"]
    assert Hardware.from_json(found).gpu is None


def test_a_fingerprint_survives_json(machine):
    found = fingerprint(machine(LAPTOP))
    assert Hardware.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_an_unknown_field_is_refused():
    with pytest.raises(ValueError, match="colour"):
        Hardware.from_json(dict(fingerprint().to_json(), colour="beige"))


def test_this_machine_has_one_fingerprint():
    assert fingerprint() == fingerprint()
