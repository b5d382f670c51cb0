import pytest

from gnomon.profilers.testing import ScriptedExecutable
from gnomon.profilers.worker.compiled_models import KeptModels


class Closing(ScriptedExecutable):
    def __init__(self):
        super().__init__((1.0,))
        self.closed = 0

    def close(self):
        self.closed += 1


@pytest.fixture
def machine(tmp_path):
    """Write /proc of a machine: the process's pages, and the memory available to it."""

    def write(pages, available_kib=4_000_000):
        (tmp_path / "proc" / "self").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc" / "self" / "statm").write_text(f"999999 {pages} 0 0 0 0 0\n")
        (tmp_path / "proc" / "meminfo").write_text(f"MemTotal: 9999999 kB\nMemAvailable:  {available_kib} kB\n")
        return tmp_path

    return write


def test_models_are_kept_until_the_process_has_grown_too_far(machine):
    kept, first, second = KeptModels(100.0, machine(1_000)), Closing(), Closing()
    kept.keep("first", first)
    machine(1_000 + 256 * 101)  # 256 pages of 4 KiB are a MiB
    kept.keep("second", second)
    assert kept.get("first") is first
    assert kept.get("second") is None
    assert (first.closed, second.closed) == (0, 1)


def test_no_more_than_half_of_the_available_memory_is_used(machine):
    kept, model = KeptModels(4_096.0, machine(1_000, available_kib=100 * 1024)), Closing()
    machine(1_000 + 256 * 60)
    kept.keep("model", model)
    assert kept.get("model") is None
    assert model.closed == 1


@pytest.mark.parametrize("limit_mib", [0.0, 4_096.0])
def test_nothing_is_kept_without_room_or_where_the_system_does_not_tell(machine, tmp_path, limit_mib):
    root = machine(1_000) if limit_mib == 0 else tmp_path
    kept, model = KeptModels(limit_mib, root), Closing()
    kept.keep("model", model)
    assert kept.get("model") is None
    assert model.closed == 1


def test_all_are_closed_once_in_the_end(machine):
    models = [Closing() for _ in range(3)]
    with KeptModels(100.0, machine(1_000)) as kept:
        for number, model in enumerate(models):
            kept.keep(str(number), model)
            kept.keep(str(number), model)
        kept.close("0", models[0])
    assert [model.closed for model in models] == [1, 1, 1]


def test_a_model_that_would_disturb_the_others_is_not_kept(machine):
    kept, model = KeptModels(100.0, machine(1_000)), Closing()
    model.idles_quietly = False
    kept.keep("model", model)
    assert kept.get("model") is None
    assert model.closed == 1
