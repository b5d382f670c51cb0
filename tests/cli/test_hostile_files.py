"""Files that no Gnomon wrote so: every reader names the file, and what of it is wrong, in one line; nothing hangs."""

import csv
import json
import os
import shutil
from pathlib import Path

import pytest

from gnomon.lut import load_profile
from gnomon.lut.interchange.registry import read_table, write_table
from gnomon.lut.profile_file.store import SHIPPED
from gnomon.profilers.testing import sign_journal
from gnomon.supernets import Architecture

DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000 + "\n"


@pytest.fixture
def run_copy(finished_run, tmp_path):
    return shutil.copytree(finished_run, tmp_path / "run")


@pytest.fixture
def profile_copy(profile_name, tmp_path):
    return shutil.copy(SHIPPED / f"{profile_name}.jsonl", tmp_path / "copy.jsonl")


def the_error(outcome):
    """Return the one line of a refusal."""
    assert outcome.code == 2, (outcome.out, outcome.err)
    (line,) = [line for line in outcome.err.splitlines() if line]
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("name", ["run.json", "evaluations.jsonl", "stop.json"])
def test_json_nested_too_deeply_is_refused_in_a_run(gnomon, run_copy, name):
    (run_copy / name).write_text(DEEP)
    assert name in the_error(gnomon("pareto", run_copy))


def test_json_nested_too_deeply_is_refused_as_a_profile(gnomon, tmp_path):
    (tmp_path / "deep.jsonl").write_text(DEEP)
    (tmp_path / "deeper.jsonl").write_text('{"schema":"gnomon.profile","record":' + DEEP.strip() + "}\n")
    for name in ("deep.jsonl", "deeper.jsonl"):
        for verb in (("lut", "show"), ("lut", "check"), ("predict",)):
            assert f"{name}, line 1" in the_error(gnomon(*verb, tmp_path / name))


def with_evaluation(run, **changed):
    """Change fields of the first evaluation, which keeps the id of its genes."""
    path = run / "evaluations.jsonl"
    first, *rest = path.read_text().splitlines()
    record = {**json.loads(first), **changed}
    record["id"] = Architecture("fashion_mnist", tuple(record["indices"])).id
    path.write_text("\n".join([json.dumps(record), *rest]) + "\n")
    sign_journal(path)


GENES = ([-1] * 26, [99] * 26, [10**30] * 26, [0, 0, 0], [0] * 200, [], [0] * 25 + [7])


@pytest.mark.parametrize("genes", GENES, ids=("-1", "99", "1e30", "three", "200", "none", "one"))
def test_genes_outside_the_space_are_refused_by_every_verb_that_reads_a_run(
    gnomon, run_copy, profile_name, tmp_path, genes
):
    with_evaluation(run_copy, indices=genes)
    search = ("search", "--profile", profile_name, "--tactic", "random", "--budget", 6, "--population", 3)
    for verb in (
        ("pareto", run_copy),
        ("runs", "export", run_copy, "--out", tmp_path / "run.csv"),
        ("export", run_copy, "--out", tmp_path / "model"),
        (*search, "--out", run_copy),
    ):
        line = the_error(gnomon(*verb))
        assert "evaluations.jsonl, line " in line
        assert "indices" in line
    assert not (tmp_path / "run.csv").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("round", 10**30),
        ("size", 10**400),
        ("seconds", 1e308),
        ("seconds", -1.0),
        ("elapsed_s", 10**400),
        ("expected", {"accuracy": [10**400, 1.0]}),
        ("values", {"accuracy": 10**400, "latency": 1.0}),
        ("deployment", -1),
    ],
)
def test_numbers_that_no_evaluation_has_are_named_by_line_and_field(gnomon, run_copy, field, value):
    with_evaluation(run_copy, **{field: value})
    assert f"evaluations.jsonl, line 1: {field}" in the_error(gnomon("pareto", run_copy))


def named_twice(content):
    content["objectives"].append(content["objectives"][0])


def named_twice_everywhere(content):
    named_twice(content)
    content["config"]["objectives"].append(content["config"]["objectives"][0])


DESCRIPTIONS = {
    "deployments of nothing": ("provenance.deployments", lambda run: run["provenance"].update(deployments=[{}])),
    "deployments as text": ("provenance.deployments", lambda run: run["provenance"].update(deployments="abc")),
    "left out as a number": ("provenance.left_out", lambda run: run["provenance"].update(left_out=3)),
    "an objective twice": ("objectives", named_twice),
    "an objective twice in the settings too": ("objectives", named_twice_everywhere),
    "an objective watched too": ("watched", lambda run: run.update(watched=[{"name": "latency", "unit": "us"}])),
    "other objectives than the settings": ("objectives", lambda run: run["objectives"].reverse()),
    "no objectives": ("objectives", lambda run: run.update(objectives=[])),
    "a budget beyond floats": ("budget", lambda run: run["config"].update(budget=10**400)),
    "a population beyond memory": ("population", lambda run: run["config"].update(population=10**30)),
    "a reference beyond floats": ("reference", lambda run: run["objectives"][0].update(reference=10**400)),
    "an opening of minus one": ("opening_budget", lambda run: run.update(opening_budget=-1)),
}


@pytest.mark.parametrize("wrong", DESCRIPTIONS)
def test_a_description_of_no_run_is_named_by_file_and_field(gnomon, run_copy, tmp_path, wrong):
    field, change = DESCRIPTIONS[wrong]
    content = json.loads((run_copy / "run.json").read_text())
    change(content)
    (run_copy / "run.json").write_text(json.dumps(content))
    for verb in (("pareto", run_copy), ("runs", "export", run_copy, "--out", tmp_path / "run.csv")):
        line = the_error(gnomon(*verb))
        assert f"{run_copy / 'run.json'} " in line
        assert field in line


@pytest.mark.parametrize(("field", "value"), [("cost", -(10**30)), ("elapsed_s", -5), ("elapsed_s", 1e308)])
def test_an_end_that_no_run_had_is_named_by_file_and_field(gnomon, run_copy, field, value):
    content = json.loads((run_copy / "stop.json").read_text())
    (run_copy / "stop.json").write_text(json.dumps({**content, field: value}))
    assert f"stop.json does not say how a run ended: {field}" in the_error(gnomon("pareto", run_copy))


@pytest.mark.parametrize("option", ["--budget", "--population", "--patience", "--inner-evaluations"])
def test_counts_that_no_machine_can_reach_are_refused_before_anything_is_drawn(gnomon, tmp_path, option):
    search = ("search", "--space", "fashion_mnist", "--objectives", "macs,params", "--out", tmp_path / "run")
    assert f"{option} {10**30}: expected a finite number" in the_error(gnomon(*search, option, 10**30))
    assert not (tmp_path / "run").exists()


def verbs_that_read(path, run, profile):
    """Return the arguments of verbs that read what stands at `path`, by what they take it for."""
    search = ("search", "--space", "fashion_mnist", "--objectives", "macs,params", "--budget", 4, "--out", run / "new")
    return {
        "checkpoint": ("evaluate", "fashion_mnist", "--arch", "smallest", "--checkpoint", path),
        "data": ("evaluate", "fashion_mnist", "--arch", "smallest", "--data", path),
        "model": ("build", path, "--target", "sm86", "--out", run / "engines"),
        "space": ("build", path, "--arch", "smallest", "--target", "sm86", "--out", run / "engines"),
        "profile": ("predict", path),
        "profile of a device": ("search", "--profile", f"pi={path}", "--objectives", "latency@pi", "--out", run / "n"),
        "settings": ("search", "--config", path, "--out", run / "new"),
        "table": ("lut", "import", path, "--format", "csv", "--space", "fashion_mnist", "--out", run / "new.jsonl"),
        "run": ("pareto", path),
        "earlier run": (*search, "--from", path),
        "results": ("bundle", "import", path, path, "--out", run / "new.jsonl"),
        "run's folder": ("search", "--profile", profile, "--objectives", "latency,macs", "--budget", 4, "--out", path),
    }


KINDS = tuple(verbs_that_read(None, Path(), ""))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a" * 300, "a" * 5000, "null\0character"], ids=["300", "5000", "null"])
def test_a_name_that_no_file_has_is_one_line_for_every_reader(gnomon, profile_name, tmp_path, kind, name):
    the_error(gnomon(*verbs_that_read(name, tmp_path, profile_name)[kind]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["pipe", "/dev/zero"])
def test_what_is_no_file_is_called_what_it_is_by_every_reader_and_not_waited_for(
    gnomon, profile_name, tmp_path, kind, path
):
    os.mkfifo(tmp_path / "pipe")
    line = the_error(gnomon(*verbs_that_read(tmp_path / path, tmp_path, profile_name)[kind]))
    noun = "is a named pipe" if path == "pipe" else "is a device"
    assert noun in line or kind in ("space", "run", "earlier run", "run's folder")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="takes root, who becomes nobody for a while")
@pytest.mark.parametrize("kind", ["checkpoint", "data", "model", "profile", "profile of a device", "run"])
def test_a_folder_that_may_not_be_entered_is_one_line_for_every_reader(gnomon, profile_name, tmp_path, kind):
    (tmp_path / "closed").mkdir(mode=0o700)
    arguments = verbs_that_read(tmp_path / "closed" / "inside", tmp_path, profile_name)[kind]
    assert gnomon(*arguments).code in (0, 2)  # and all is imported that nobody may not read
    os.seteuid(65534)
    try:
        outcome = gnomon(*arguments)
    finally:
        os.seteuid(0)
    assert "ermission denied" in the_error(outcome)


def with_record(profile, kind, **changed):
    """Change fields of the first record of that kind; blocks lose what goes with them."""
    lines = [json.loads(line) for line in Path(profile).read_text().splitlines()]
    record = next(line for line in lines if line["record"] == kind)
    record.update(changed)
    for name in ("at_s", "probe_us", "switches") if "block_us" in changed else ():
        record.pop(name, None)
    Path(profile).write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("layer", "block_us", [[1e308]]),
        ("layer", "block_us", [["5"]]),
        ("layer", "loops", "1"),
        ("network", "block_us", [[5e-324]]),
        ("network", "loops", 10**400),
        ("network", "indices", [-1] * 26),
        ("network", "indices", [10**30] * 26),
        ("network", "indices", [0, 0, 0]),
        ("network", "id", "deadbeef"),
        ("network", "at_s", ["NaN"]),
        ("anchor", "t_s", "NaN"),
        ("anchor", "value_us", 1e308),
        ("header", "seconds", 1e308),
        ("header", "sessions", 10**400),
        ("header", "session_starts_s", {"a": "NaN"}),
        ("header", "config", {"device": "cpu", "precision": "fp32", "threads": 10**400, "batch": 1}),
    ],
    ids=str,
)
def test_numbers_that_no_profile_has_are_named_by_line_and_field(gnomon, profile_copy, kind, field, value):
    with_record(profile_copy, kind, **{field: value})
    for verb in (("lut", "show"), ("lut", "check"), ("predict",)):
        line = the_error(gnomon(*verb, profile_copy))
        assert "copy.jsonl, line " in line
        assert f"{kind}.{'indices' if field == 'id' else field}" in line


def test_a_table_of_absurd_times_can_be_taken_as_it_is_and_says_which_are_none(gnomon, tmp_path, profile_name):
    out = tmp_path / "table.csv"
    assert gnomon("lut", "export", profile_name, "--out", out).code == 0
    lines = out.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith('"layer"')) + 1
    for row, value in enumerate(("0", "1e300", "5e-324", "-1", "inf"), first):
        key = lines[row].rpartition('"')[0] + '"'
        lines[row] = f"{key},{value},,"
    out.write_text("\n".join(lines) + "\n")
    imported = gnomon("lut", "import", out, "--accept-findings", "--out", tmp_path / "table.jsonl")
    assert imported.code == 0, imported.err
    assert (tmp_path / "table.jsonl").read_text().count('"record":"failure"') == 5


HOSTILE = "\x1b[2J\u202e\x9b31m\nquality  good: said by nobody\r"


def test_what_a_profile_says_is_shown_and_not_obeyed(gnomon, profile_copy, profile_name):
    verbs = (("lut", "show"), ("lut", "check"), ("lut", "diff", profile_name), ("predict", "--arch", "smallest"))
    before = [gnomon(*verb, profile_copy).out.count("\n") for verb in verbs]
    header = {"device": HOSTILE, "created": HOSTILE, "versions": {"onnxruntime": HOSTILE}, "backend": HOSTILE}
    with_record(profile_copy, "header", **header)
    for verb, lines in zip(verbs, before):
        outcome = gnomon(*verb, profile_copy)
        assert not {"\x1b", "\x9b", "\u202e", "\r"} & set(outcome.out + outcome.err)
        assert "\nquality  good: said by nobody" not in outcome.out
        assert outcome.out.count("\n") == lines or verb[1] == "diff"
    assert "\\x1b[2J\\u202e\\x9b31m\\nquality" in gnomon("lut", "show", profile_copy).out


def test_what_a_run_says_is_shown_and_not_obeyed(gnomon, run_copy):
    content = json.loads((run_copy / "run.json").read_text())
    content["config"]["tactic"] = content["provenance"]["profile"]["name"] = HOSTILE
    content["provenance"]["left_out"] = [HOSTILE]
    (run_copy / "run.json").write_text(json.dumps(content))
    end = json.loads((run_copy / "stop.json").read_text())
    (run_copy / "stop.json").write_text(json.dumps({**end, "reason": "gain", "said": HOSTILE}))
    outcome = gnomon("pareto", run_copy)
    assert outcome.code == 0
    assert not {"\x1b", "\x9b", "\u202e", "\r"} & set(outcome.out + outcome.err)
    assert "\nquality  good: said by nobody" not in outcome.out


def test_an_error_is_one_line_whatever_a_name_holds(gnomon):
    line = the_error(gnomon("predict", f"no{HOSTILE}"))
    assert not {"\x1b", "\x9b", "\u202e"} & set(line)


@pytest.mark.parametrize("key", ["=cmd|'/C calc'!A0", "+1", "@SUM(A1)", " -1", "'quoted", "'=1", "plain"])
def test_a_layer_that_reads_as_a_formula_is_text_in_a_spreadsheet_and_comes_back(profile_copy, tmp_path, key):
    with_record(profile_copy, "layer", key=key)
    write_table(load_profile(profile_copy), tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        cells = [row[0] for row in csv.reader(file)]
    assert not any(cell.lstrip(" ")[:1] in ("=", "+", "-", "@") for cell in cells)
    assert key in {row.key for row in read_table(tmp_path / "table.csv").rows}


@pytest.mark.parametrize("number", [float("nan"), float("inf")], ids=str)
def test_weights_that_are_no_numbers_are_refused_with_their_tensor(gnomon, tmp_path, number):
    from gnomon.supernets import load_space
    from gnomon.supernets.checkpoints.own_files import save_weights
    from gnomon.supernets.elastic import ElasticNetwork

    network = ElasticNetwork(load_space("fashion_mnist"))
    name, weights = next(iter(network.named_parameters()))
    weights.data.view(-1)[3] = number
    save_weights(network, tmp_path / "w.safetensors")
    line = the_error(gnomon("evaluate", "fashion_mnist", "--checkpoint", tmp_path / "w.safetensors"))
    assert f"in tensor {name!r} are NaN or infinite" in line


def test_the_end_of_a_file_is_not_taken_for_ctrl_c(gnomon, monkeypatch):
    def at_its_end(*anything):
        raise EOFError("Ran out of input")

    monkeypatch.setattr("gnomon.lut.load_profile", at_its_end)
    with pytest.raises(EOFError, match="Ran out of input"):
        gnomon("predict", "any")
