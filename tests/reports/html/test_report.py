"""The HTML report: what it says, that it stays one small file, and that no text of a file breaks out of it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gnomon.lut import load_profile, shipped_profiles
from gnomon.reports.errors import ReportRefused
from gnomon.reports.html.report import html_of, write_report

MEGABYTE = 1_000_000


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text of each kind of element."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.texts = [], [], {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, text):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(text)


def data_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture(scope="module")
def page(page_file):
    return page_file.read_text(encoding="utf-8")


def test_the_page_loads_nothing_from_anywhere(page):
    found = Elements(page)
    loading = {"src", "srcset", "href", "data", "action", "poster", "background"}
    for tag, attributes in found.elements:
        for name in loading & set(attributes):
            assert (tag, name) == ("a", "href"), tag
            assert attributes[name].startswith("#")
    assert "url(" not in page
    assert "@import" not in page
    (policy,) = (a["content"] for tag, a in found.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_links_lead_to_sections_that_are_there(page):
    found = Elements(page)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {a["href"][1:] for tag, a in found.elements if tag == "a"}
    assert links
    assert links <= set(ids)


def test_the_data_are_those_of_the_run(page, reported_run):
    (told,) = data_of(page)["runs"]
    run = reported_run
    assert told["ids"] == [measured.architecture.id for measured in run.measured]
    view = told["views"][0]
    assert {told["ids"][i] for i in view["front"]} == set(run.front().ids)
    assert all(1.01 < ratio < 2 for ratio in view["ratio"])
    choices = [choice.name for choice in run.space().choices]
    assert [name for name, *_ in told["choices"]] == choices
    for genes, measured in zip(told["genes"], run.measured):
        active = run.space().active([measured.architecture.indices])[0]
        options = [ord(letter) - ord("0") for letter in genes if letter != "."]
        assert options == [i for i, has_effect in zip(measured.architecture.indices, active) if has_effect]


def test_the_times_of_a_networks_layers_add_up_to_its_latency(page, reported_run, profile):
    (told,) = data_of(page)["runs"]
    for number in told["views"][0]["front"]:
        us = [one for one in told["bars"]["us"][str(number)] if one is not None]
        explained = profile.latency.form.fixed_us(1, profile.latency.weights_kib(rows_of(reported_run, number)))
        assert sum(us) + float(explained[0]) == pytest.approx(told["views"][0]["x"][number], rel=3e-3)


def rows_of(run, number):
    import numpy as np

    return np.array([run.measured[number].architecture.indices])


def test_the_verdict_names_the_knee_and_what_nobody_measured(page, reported_run):
    said = " ".join(Elements(page).texts["p"])
    assert f"Its knee is {reported_run.front().knee().id}" in said
    missing = " ".join(Elements(page).texts["li"])
    assert "memory and energy: the search was not asked for them" in missing
    assert "every value is predicted from the profile" in missing


def test_the_profile_of_a_run_is_found_by_its_sha256(page, profile):
    assert profile.digest in page
    assert data_of(page)["profiles"][0]["name"] == profile.name


def test_every_layer_is_in_the_data_and_the_slowest_in_the_table_without_a_script(page, profile):
    layers = data_of(page)["profiles"][0]["layers"]
    assert set(layers["key"]) == set(profile.table.measurements)
    assert layers["us"] == sorted(layers["us"], reverse=True)
    slowest = max(profile.table.measurements, key=lambda key: profile.table.measurements[key].value_us)
    assert slowest.replace(",", ", ") in page.partition("<noscript><table>")[2].partition("</tr><tr>")[0]


def test_two_profiles_are_compared_environment_first(page):
    part = page.partition('id="compared"')[2]
    assert part.index("<td>backend</td>") < part.index('class="chart forest"')
    assert len(page) < MEGABYTE


def test_another_profile_prices_the_run_in_a_view_of_its_own(page, reported_run, other):
    own, priced = data_of(page)["runs"][0]["views"]
    latency = load_profile(other).latency
    rows = [measured.architecture.indices for measured in reported_run.measured]
    assert priced["x"] == pytest.approx(latency.value_us(rows).tolist(), rel=1e-5)
    assert own["x"] != priced["x"]
    assert 'role="tablist"' in page


def test_a_file_that_is_none_is_refused_and_a_report_replaced(empty_run, tmp_path):
    from gnomon.outputs import OutputUnusable

    path = tmp_path / "report.html"
    path.write_text("<html>my thesis</html>")
    for force in (False, True):
        with pytest.raises(OutputUnusable, match="is not a report that Gnomon wrote"):
            write_report([empty_run], path, force=force)
    assert path.read_text() == "<html>my thesis</html>"
    path.unlink()
    write_report([empty_run], path)
    with pytest.raises(OutputUnusable, match="is there already"):
        write_report([empty_run], path)
    write_report([empty_run], path, force=True)


def test_nothing_to_report_is_refused(tmp_path):
    with pytest.raises(ReportRefused, match="at least one profile or run"):
        write_report([], tmp_path / "r.html")


def test_a_run_that_has_measured_nothing_says_so(empty_run, tmp_path):
    text = write_report([empty_run], tmp_path / "r.html").read_text(encoding="utf-8")
    assert "has measured nothing yet in full" in text


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 5000])
def test_one_point_and_five_thousand_fit(n, many_points, tmp_path):
    text = write_report([many_points(n)], tmp_path / "r.html").read_text(encoding="utf-8")
    (told,) = data_of(text)["runs"]
    assert len(told["ids"]) == n
    assert len(text) < MEGABYTE
    drawn = len(re.findall(r"<circle[^>]* data-i=", text))
    assert drawn == n


HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u202egnp.js {{ 7 * 7 }}"


@pytest.mark.slow
def test_hostile_text_stays_text(page, reported_run, tmp_path):
    from dataclasses import replace

    header = reported_run.header
    objectives = tuple(replace(o, unit=HOSTILE) if o.name == "latency" else o for o in header.objectives)
    run = replace(reported_run, header=header.model_copy(update={"objectives": objectives}))
    failed = run.evaluations[0].model_copy(update={"failed": HOSTILE, "values": {}, "share": 1.0})
    run = replace(run, evaluations=(*run.evaluations, failed))
    text = write_report([run], tmp_path / "r.html").read_text(encoding="utf-8")
    assert data_of(text)["runs"][0]["views"][0]["unit"] == HOSTILE
    tags = [tag for tag, _ in Elements(text).elements]
    assert "img" not in tags
    assert tags.count("script") == [tag for tag, _ in Elements(page).elements].count("script")
    assert "\u202e" not in text.partition('<script type="application/json"')[0]
    assert "49" not in re.findall(r"gnp\.js (.{14})", text)


@pytest.mark.slow
def test_every_shipped_profile_has_a_report_below_a_megabyte():
    from datetime import UTC, datetime

    from gnomon.reports.html.content.sources import opened

    for name in shipped_profiles():
        if name.startswith(("bert_minilm/", "translate_en_de/")) and ".onnxruntime." in name:
            text = html_of(opened([name]), made=datetime(2026, 1, 1, tzinfo=UTC))
            assert len(text) < MEGABYTE
            assert "Predicted against measured" in text


SAMPLES = [
    "search/samples/run_v1",
    "search/samples/finished_v3",
    "lut/samples/profile_v1.jsonl",
    "lut/samples/profile_v4.jsonl",
]


@pytest.mark.parametrize("sample", SAMPLES)
def test_files_of_earlier_versions_have_a_report(sample, tmp_path):
    text = write_report([Path(__file__).parents[2] / sample], tmp_path / "r.html").read_text(encoding="utf-8")
    assert 'class="card"' in text
