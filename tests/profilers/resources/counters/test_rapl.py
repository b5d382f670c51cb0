"""RAPL read from scripted trees of /sys/class/powercap."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from gnomon.profilers import CounterUnavailable
from gnomon.profilers.resources.counters.rapl import FOLDER, open_counter

RANGE_UJ = 262_143_328_850
NOBODY = 65_534


@pytest.fixture
def zone(tmp_path):
    """Return a function that writes a zone and returns the file of its count."""

    def make(folder, name, energy_uj=0, range_uj=RANGE_UJ, root=tmp_path):
        path = root / FOLDER / folder
        path.mkdir(parents=True)
        (path / "name").write_text(f"{name}\n")
        (path / "energy_uj").write_text(f"{energy_uj}\n")
        (path / "max_energy_range_uj").write_text(f"{range_uj}\n")
        return path / "energy_uj"

    return make


def test_packages_add_up_and_their_parts_are_recorded(zone, tmp_path):
    first, second = zone("intel-rapl:0", "package-0", 100), zone("intel-rapl:1", "package-1", 50)
    core, platform = zone("intel-rapl:0:0", "core", 10), zone("intel-rapl:2", "psys", 7)
    zone("intel-rapl-mmio:0", "package-0", 9)
    (tmp_path / FOLDER / "intel-rapl").mkdir()
    with open_counter(tmp_path) as counter:
        before = counter.read()
        for file, value in ((first, 3_100), (second, 2_050), (core, 1_010), (platform, 9_007)):
            file.write_text(str(value))
        spent = counter.spent_mj(before, counter.read())
    assert counter.total == ("package-0", "package-1")
    assert spent == {"package-0": 3.0, "package-0/core": 1.0, "package-1": 2.0, "psys": 9.0}


def test_a_counter_that_wrapped_is_unwrapped(zone, tmp_path):
    file = zone("intel-rapl:0", "package-0", RANGE_UJ - 1_000)
    counter = open_counter(tmp_path)
    before = counter.read()
    file.write_text("4000")
    assert counter.spent_mj(before, counter.read()) == {"package-0": 5.0}


def test_a_counter_that_fell_without_a_range_is_no_energy(zone, tmp_path):
    file = zone("intel-rapl:0", "package-0", 9_000, range_uj="")
    counter = open_counter(tmp_path)
    before = counter.read()
    file.write_text("100")
    with pytest.raises(CounterUnavailable, match=r"fell from 9000 to 100 uJ.*measure again"):
        counter.spent_mj(before, counter.read())


def test_a_counter_that_vanishes_is_an_error(zone, tmp_path):
    file = zone("intel-rapl:0", "package-0", 9_000)
    counter = open_counter(tmp_path)
    file.unlink()
    with pytest.raises(CounterUnavailable, match="cannot be now"):
        counter.read()


@pytest.mark.parametrize("content", ["", "many", "1.5", "9" * 40])
def test_what_is_no_number_is_no_counter(zone, tmp_path, content):
    zone("intel-rapl:0", "package-0", content)
    with pytest.raises(CounterUnavailable, match="no number of microjoules"):
        open_counter(tmp_path)


def test_a_virtual_machine_has_none(tmp_path):
    with pytest.raises(CounterUnavailable, match=r"no package of intel-rapl\. Virtual machines"):
        open_counter(tmp_path)


def test_a_count_for_root_only_names_the_command_that_frees_it(zone):
    root = Path(tempfile.mkdtemp())  # where an unprivileged user may look, unlike in the folders of pytest
    try:
        zone("intel-rapl:0", "package-0", 5, root=root).chmod(0)
        for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        privileged = os.geteuid() == 0
        if privileged:
            os.seteuid(NOBODY)
        try:
            with pytest.raises(CounterUnavailable, match=r"by root only.*sudo chmod a\+r /sys/class/powercap"):
                open_counter(root)
        finally:
            if privileged:
                os.seteuid(0)
    finally:
        shutil.rmtree(root)
