import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.search import ObjectiveInfo, ParetoFront, load_run
from gnomon.search.fronts.notebook import ticks
from gnomon.supernets import Architecture

SAMPLE = Path(__file__).parents[1] / "samples" / "run_v1"
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'--></svg><b>", "&lt;script&gt;")
ALLOWED = {"div", "b", "p", "table", "tr", "th", "td", "svg", "text", "circle", "line", "polyline"}


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.attributes, self.text = set(), set(), ""

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def parsed(html):
    ElementTree.fromstring(html)  # well formed: all that is opened is closed
    tags = Tags()
    tags.feed(html)
    return tags


def front_of(values, *infos):
    architectures = [Architecture("fashion_mnist", (i,) * 26) for i in range(len(values))]
    return ParetoFront.of(architectures, np.array(values, dtype=float), infos)


def pair(name="accuracy", unit="percent"):
    return ObjectiveInfo(name, unit, "max"), ObjectiveInfo("latency", "us", "min")


def test_a_run_is_drawn_with_its_front_and_the_knee():
    run = load_run(SAMPLE)
    tags = parsed(run._repr_html_())
    assert {"svg", "table"} <= tags.found <= ALLOWED
    assert all(architecture.id in tags.text for architecture in run.front().architectures)
    assert f"{run.front().knee().id} knee" in tags.text
    circles = run._repr_html_().count("<circle")
    assert circles == len(run.evaluations) + len(run.front().values)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(text):
    front = front_of([(60, 10), (70, 20)], *pair(text, f"1/{text}"))
    tags = parsed(front.html(title=text))
    assert tags.found <= ALLOWED
    assert not {name for name in tags.attributes if name.startswith("on") or name == "src"}
    assert tags.text.count(text) == 5  # the title, and name and unit of the column and of the axis


def test_hostile_settings_of_a_run_stay_text():
    run = load_run(SAMPLE)
    header = run.header.model_copy(update={"config": run.config.model_copy(update={"tactic": HOSTILE[0]})})
    for shown in (replace(run, header=header), replace(run, header=header, evaluations=())):
        tags = parsed(shown._repr_html_())
        assert tags.found <= ALLOWED
        assert HOSTILE[0] in tags.text


def test_a_run_without_a_front_says_why():
    run = load_run(SAMPLE)
    names = [objective.name for objective in run.objectives]
    config = run.config.model_copy(update={"constraints": (f"{names[0]}>=1000000",)})
    shown = replace(run, header=run.header.model_copy(update={"config": config}))
    assert "none of 6 measured" in parsed(shown._repr_html_()).text


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.floats(-1e9, 1e9)] * 3), min_size=1, max_size=50), st.integers(1, 3))
def test_any_front_is_well_formed_and_inside_its_picture(values, m):
    infos = (*pair(), ObjectiveInfo("params", "params", "min"))[:m]
    html = front_of([value[:m] for value in values], *infos)._repr_html_()
    assert parsed(html).found <= ALLOWED
    places = re.findall(r'<circle cx="(-?[\d.]+)" cy="(-?[\d.]+)"', html)
    assert len(places) == html.count("<circle")
    assert all(0 <= float(x) <= 380 and 0 <= float(y) <= 250 for x, y in places)


def test_a_long_front_is_cut_and_says_so():
    html = front_of([(i, i) for i in range(45)], *pair())._repr_html_()
    assert html.count("<tr>") == 31
    assert "and 15 more" in html


@settings(deadline=None)
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=9))
def test_ticks_enclose_the_values_and_are_few(values):
    found = ticks(np.array(values))
    assert 2 <= len(found) <= 8
    assert found == sorted(set(found))
    slack = 1e-6 * (found[-1] - found[0])
    assert found[0] - slack <= min(values)
    assert max(values) <= found[-1] + slack
