"""The file of a fleet: everything in it that is not what it should be is refused by name, before anything runs."""

import pytest

from gnomon.cli.main import run as gnomon
from gnomon.lut.errors import FleetInvalid
from gnomon.lut.fleet.description import read_fleet

BOARD = '[[boards]]\nname = "a"\ndevice = "ssh://pi@one"\n'
PROFILE = '[[profiles]]\nspace = "fashion_mnist"\n'


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fleet.toml"


def test_defaults_are_those_of_gnomon_profile(path):
    path.write_text(BOARD + PROFILE + '[[profiles]]\nspace = "x"\nbackend = "onnxruntime:cuda"\nthreads = 4\n')
    fleet = read_fleet(path)
    assert fleet.store == path.parent / "profiles"
    assert [board.kind for board in fleet.boards] == ["a"]
    assert [plan.file_name for plan in fleet.plans] == [
        "fashion_mnist.onnxruntime.fp32.b1.t1.jsonl", "x.onnxruntime-cuda.fp32.b1.t4.jsonl",
    ]  # fmt: skip
    assert dict(fleet.plans[0].settings) == {
        "threads": 1, "batch": 1, "precision": "fp32", "networks": 30, "time_cap_s": 600.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../outside", "name is '../outside'"),
        ("..", "name is '..'"),
        ("-rf", "name is '-rf'"),
        ("a/b", "name is 'a/b'"),
        ("a\\nb", r"name is 'a\\nb'"),
        ("a\\u001B[2J", r"name is 'a\\x1b\[2J'"),
        ("\\u202Eevil", r"name is '\\u202eevil'"),
        ("\\u0430", "name is '\u0430'"),
        ("", "name is ''"),
        ("a" * 65, "name is 'aaa"),
        ("a\\u0000", "name is"),
    ],
)
def test_a_name_that_could_be_another_path_is_refused(path, name, said):
    path.write_text(f'[[boards]]\nname = "{name}"\ndevice = "local"\n' + PROFILE, encoding="utf-8")
    with pytest.raises(FleetInvalid, match=said):
        read_fleet(path)
    path.write_text(BOARD + f'kind = "{name}"\n' + PROFILE, encoding="utf-8")
    with pytest.raises(FleetInvalid, match=said.replace("name", "kind")):
        read_fleet(path)
    path.write_text(BOARD + f'[[profiles]]\nspace = "{name}"\n', encoding="utf-8")
    with pytest.raises(FleetInvalid, match=said.replace("name", "space")):
        read_fleet(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", r"boards has to be 1 to 10000 tables; begin each with \[\[boards\]\]"),
        ("boards = 3\n", "boards has to be 1 to 10000 tables"),
        ("boards = [1]\n" + PROFILE, r"boards\[0\] is 1; expected a table"),
        ("boards = [" * 100_000, "cannot read a fleet from"),
        ("\x00", "cannot read a fleet from"),
        (BOARD, "profiles has to be"),
        (BOARD + BOARD + PROFILE, "entries 0 and 1 have the same name, 'a'"),
        (BOARD + BOARD.replace('"a"', '"b"') + PROFILE, "have the same device, 'ssh://pi@one'"),
        (BOARD + BOARD.replace('"a"', '"A"').replace("one", "two") + PROFILE, "have the same name, 'a'"),
        (BOARD + PROFILE + PROFILE, "have the same profile"),
        (
            BOARD + 'knid = "x"\n' + PROFILE,
            r"\[0\] has 'knid'; known are name, device, kind; did you mean 'kind'",
        ),
        (BOARD + PROFILE + "threads = true\n", "threads is True; expected a number"),
        (BOARD + PROFILE + 'threads = "4"\n', "threads is '4'; expected a number"),
        (BOARD + PROFILE + "threads = 0\n", "threads is 0; expected a finite number, at least 1"),
        (BOARD + PROFILE + "time_cap_s = nan\n", "time_cap_s is nan"),
        (BOARD + PROFILE + "layers = 1\n", "layers is 1; expected true or false"),
        (BOARD + PROFILE + 'precision = "../fp32"\n', "precision is '../fp32'"),
        (BOARD + PROFILE + 'backend = "../x"\n', "backend is '../x'"),
        ("store = 3\n" + BOARD + PROFILE, "store is 3; expected the name of a folder"),
        (BOARD.replace("ssh://pi@one", "ssh://-oProxyCommand=reboot") + PROFILE, "is no address of a device"),
        (BOARD.replace("ssh://pi@one", "pi@one") + PROFILE, "is no address of a device"),
        (BOARD.replace('"ssh://pi@one"', "3") + PROFILE, "device is 3; expected local"),
    ],
)
def test_what_is_no_fleet_is_refused_by_the_entry(path, content, said, capsys):
    path.write_text(content)
    with pytest.raises(FleetInvalid, match=said):
        read_fleet(path)
    assert gnomon(["fleet", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert not (path.parent / "profiles").exists()


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(FleetInvalid, match="cannot read a fleet from"):
            read_fleet(path)
