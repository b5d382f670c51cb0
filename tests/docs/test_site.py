"""What the documentation site generates from the code: the command line, the Python interface, the schemas of files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from api_page import api_page
from build_site import stage
from cli_page import cli_page
from contents import sections
from file_schemas import SCHEMAS, schemas, text_of

import gnomon
from gnomon.cli.main import VERBS
from gnomon.lut.profile_file.store import SHIPPED
from gnomon.search import SearchConfig

ROOT = Path(__file__).parents[2]
SITE = ROOT / "docs" / "site"


def test_the_schemas_that_ship_are_those_of_the_code():
    shipped = {path.name: path.read_text(encoding="utf-8") for path in SCHEMAS.iterdir()}
    assert shipped == {f"{name}.schema.json": text_of(schema) for name, schema in schemas().items()}, (
        "make them anew: python docs/site/file_schemas.py"
    )


@pytest.fixture(scope="module")
def validators():
    jsonschema = pytest.importorskip("jsonschema")
    for schema in schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)
    return {name: jsonschema.Draft202012Validator(schema) for name, schema in schemas().items()}


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def profiles():
    smallest = min(SHIPPED.glob("fashion_mnist/*.jsonl"), key=lambda path: path.stat().st_size)
    return [smallest, *sorted((ROOT / "tests" / "lut" / "samples").glob("profile_v*.jsonl"))]


@pytest.mark.parametrize("path", profiles(), ids=lambda path: path.name)
def test_profiles_of_every_version_are_valid(path, validators):
    lines = lines_of(path)
    for line in [line for record in {one["record"] for one in lines} for line in of_record(lines, record)[:3]]:
        validators["profile"].validate(line)


def of_record(lines, record):
    return [line for line in lines if line["record"] == record]


def test_a_profile_with_a_time_of_nothing_or_an_unknown_field_is_not_valid(validators):
    layer = next(line for line in lines_of(profiles()[0]) if line["record"] == "layer")
    assert validators["profile"].is_valid(layer)
    assert not validators["profile"].is_valid({**layer, "block_us": [[0.0]]})
    assert not validators["profile"].is_valid({**layer, "latency": 3.0})


def test_what_a_search_started_from_is_valid(validators):
    samples = ROOT / "tests" / "search" / "samples"
    for line in lines_of(samples / "run_v3" / "start.jsonl"):
        validators["start"].validate(line)


@pytest.mark.slow
def test_a_run_its_final_front_and_its_export_are_valid(validators, tmp_path, few_images):
    config = SearchConfig(
        space="fashion_mnist", objectives=("accuracy", "macs"), tactic="random", population=3, budget=3
    )
    run = gnomon.run_search(config, tmp_path / "run")
    gnomon.final_front(run)
    gnomon.export(run, "knee", tmp_path / "exported")
    single = {name: f"run/{name}.json" for name in ("run", "stop", "call", "final")} | {"model": "exported/model.json"}
    for name, file in single.items():
        validators[name].validate(json.loads((tmp_path / file).read_text(encoding="utf-8")))
    for name, file in {"evaluation": "evaluations.jsonl", "final-journal": "final.jsonl"}.items():
        for line in lines_of(tmp_path / "run" / file):
            validators[name].validate(line)
    earlier = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8")) | {"version": 1}
    assert not validators["run"].is_valid(earlier)


def test_the_reference_of_the_command_line_has_every_verb_and_option():
    page = cli_page()
    assert [verb for verb in VERBS if f"### gnomon {verb}\n" not in page] == []
    assert "#### gnomon lut diff\n" in page
    assert "`--stop-gain <float>`" in page


def test_the_reference_of_the_python_interface_has_every_public_name():
    page = api_page()
    assert [name for name in gnomon.__all__ if not name.startswith("_") and f"### {name}\n" not in page] == []
    assert all(f"| `{name}` |" in page for name in SearchConfig.model_fields)


def test_every_page_has_a_place_and_no_page_is_named_that_is_not_there():
    pages = {path.stem for path in (ROOT / "docs").iterdir() if path.suffix in (".md", ".ipynb")} - {"search"}
    pages |= {"searching", "cli", "api", "schemas", "CHANGELOG", "CONTRIBUTING"}
    listed = [name for names in sections(pages).values() for name in names]
    assert sorted(listed) == sorted(pages - {"index"})
    assert "new-page" in sections(pages | {"new-page"})["How to"]
    with pytest.raises(ValueError, match="faq"):
        sections(pages - {"faq"})


@pytest.mark.slow
def test_a_broken_link_fails_the_build(tmp_path):
    pytest.importorskip("furo")
    pytest.importorskip("myst_parser")
    pages, html = tmp_path / "pages", tmp_path / "html"
    pages.mkdir()
    (pages / "index.md").write_text("# Here\n\n[gone](gone.md)\n", encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-c", str(SITE), str(pages), str(html)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode != 0
    assert "gone.md" in found.stderr


def test_what_is_staged_again_is_left_alone_and_what_is_gone_goes(tmp_path):
    stage(tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.md")}
    (tmp_path / "old.md").write_text("x", encoding="utf-8")
    stage(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.md")} == written
    assert "](searching.md" in (tmp_path / "index.md").read_text(encoding="utf-8")
