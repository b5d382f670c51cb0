"""NVML as a library compiled here, whose answers the environment scripts."""

import os
import shutil
import subprocess

import pytest

from gnomon.profilers import CounterUnavailable
from gnomon.profilers.resources.counters import nvml

SOURCE = r"""
#include <stdlib.h>
#include <string.h>
static long told(const char *name, long otherwise) { const char *v = getenv(name); return v ? atol(v) : otherwise; }
static int device;
int nvmlInit_v2(void) { return told("NVML_INIT", 0); }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == 9 ? "Driver Not Loaded" : "Not Found"; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = told("NVML_COUNT", 1); return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **handle) { *handle = &device; return i == 0 ? 0 : 6; }
int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle) {
    *handle = &device; return strcmp(uuid, "GPU-known") == 0 ? 0 : 6;
}
#ifndef OLD
int nvmlDeviceGetTotalEnergyConsumption(void *handle, unsigned long long *mj) {
    *mj = told("NVML_MJ", 0); return handle == &device ? told("NVML_CODE", 0) : 2;
}
#endif
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to make a scripted NVML with")
    folder = tmp_path_factory.mktemp("nvml")
    (folder / "nvml.c").write_text(SOURCE)
    for name, flags in (("new", ()), ("old", ("-DOLD",))):
        subprocess.run(["cc", "-shared", "-fPIC", *flags, "-o", folder / f"{name}.so", folder / "nvml.c"], check=True)
    return folder


@pytest.fixture
def library(compiled, monkeypatch):
    monkeypatch.setattr(nvml, "LIBRARY", str(compiled / "new.so"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def count(monkeypatch, value):
    monkeypatch.setenv("NVML_MJ", str(value))


def test_a_count_beyond_32_bits_is_read_whole(library, monkeypatch):
    count(monkeypatch, 2**40)
    with nvml.open_counter() as counter:
        before = counter.read()
        count(monkeypatch, 2**40 + 1_500)
        assert counter.spent_mj(before, counter.read()) == {"gpu": 1_500.0}


def test_a_count_that_fell_is_no_energy(library):
    with nvml.open_counter() as counter, pytest.raises(CounterUnavailable, match="fell from 7 to 3 mJ"):
        counter.spent_mj({"gpu": 7}, {"gpu": 3})


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"NVML_INIT": "9"}, "Driver Not Loaded"),
        ({"NVML_COUNT": "0"}, "has 0 GPUs"),
        ({"NVML_COUNT": "4"}, r"has 4 GPUs.*export CUDA_VISIBLE_DEVICES=GPU-"),
        ({"NVML_CODE": "3"}, "those before Volta"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-other"}, r"no GPU GPU-other.*Not Found"),
    ],
)
def test_each_refusal_says_why(library, monkeypatch, told, said):
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CounterUnavailable, match=said):
        nvml.open_counter()


def test_a_named_gpu_of_several_is_taken(library, monkeypatch):
    monkeypatch.setenv("NVML_COUNT", "4")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-known")
    count(monkeypatch, 11)
    with nvml.open_counter() as counter:
        assert counter.read() == {"gpu": 11}


def test_a_driver_older_than_the_counter_is_named(compiled, library, monkeypatch):
    monkeypatch.setattr(nvml, "LIBRARY", str(compiled / "old.so"))
    with pytest.raises(CounterUnavailable, match="update NVIDIA's driver"):
        nvml.open_counter()


def test_a_machine_without_the_driver_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(nvml, "LIBRARY", os.fspath(tmp_path / "libnvidia-ml.so.1"))
    with pytest.raises(CounterUnavailable, match="comes with NVIDIA's driver"):
        nvml.open_counter()
