"""The report in a headless Chromium: clicks, the budget, filters, keys, print; nothing is fetched."""

import json
from dataclasses import replace

import pytest
from browser import CHROMIUM, Browser

from gnomon.reports.html.report import write_report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]
COUNT = "document.querySelector('.run .count').textContent"
ROWS = "[...document.querySelectorAll('#profile1 table.layers tbody tr')].map(row => row.innerText)"


def hidden_text(run):
    """A run whose text would run or fetch something, if any of it were not escaped."""
    evil = "</script><script>document.title='taken'</script><img src=http://evil.example/x onerror=fail()>"
    header = run.header
    objectives = tuple(replace(o, unit=evil) if o.name == "latency" else o for o in header.objectives)
    failed = run.evaluations[0].model_copy(update={"failed": evil, "values": {}, "round": 99})
    header = header.model_copy(update={"objectives": objectives})
    return replace(run, header=header, evaluations=(*run.evaluations, failed))


@pytest.fixture(scope="module")
def hostile_file(reported_run, tmp_path_factory):
    return write_report([hidden_text(reported_run)], tmp_path_factory.mktemp("hostile") / "report.html")


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def tab(chromium, page_file):
    """The run's page, freshly opened; nothing may have been fetched, nor gone wrong, when the test ends."""
    chromium.open(page_file)
    yield chromium
    assert chromium.complaints == []
    assert chromium.requests == [page_file.as_uri()]


def set_to(tab, selector, value, event="input"):
    tab.run(
        f"{{const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)};"
        f"e.dispatchEvent(new Event({json.dumps(event)}, {{bubbles: true}}))}}"
    )


def test_the_budget_counts_what_keeps_it(tab, reported_run):
    everything = len(reported_run.measured)
    assert tab.run(COUNT).startswith(f"{everything} of {everything} networks")
    set_to(tab, ".budget", 400)
    limit = float(tab.run("document.querySelector('.limit-said').textContent").split()[1])
    kept = sum(values[1] <= limit for values in reported_run.values)
    assert 0 < kept < everything
    assert tab.run(COUNT).startswith(f"{kept} of {everything} networks")
    best = max((v[0], m.architecture.id) for v, m in zip(reported_run.values, reported_run.measured) if v[1] <= limit)
    assert f"({best[1]})" in tab.run(COUNT)
    faded = tab.run("document.querySelectorAll('.view:not(.later) circle.over').length")
    assert faded == everything - kept
    tab.run("document.querySelector('.only-kept').click()")
    shown = "[...document.querySelectorAll('.view:not(.later) circle[data-i]')].filter(c => c.checkVisibility()).length"
    assert tab.run(shown) == kept


def test_a_click_shows_the_network_and_the_command_that_exports_it(tab, reported_run):
    run = reported_run
    assert tab.run("document.querySelector('.detail h4').textContent") == run.front().knee().id
    best = run.front().architectures[0].id
    place = tab.run(
        "(() => { const i = JSON.parse(document.getElementById('data').textContent).runs[0].ids.indexOf("
        f"{json.dumps(best)}); const c = document.querySelector(`circle[data-i='${{i}}']`);"
        "c.scrollIntoView({block: 'center', behavior: 'instant'}); const b = c.getBoundingClientRect();"
        "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
    )
    mouse = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
    tab.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
    assert best in tab.run("document.getElementById('tip').textContent")
    for kind in ("mousePressed", "mouseReleased"):
        tab.call("Input.dispatchMouseEvent", type=kind, **mouse)
    assert tab.run("document.querySelector('.detail h4').textContent") == best
    assert f"--pick {best}" in tab.run("document.querySelector('.detail pre').textContent")
    assert tab.run("document.querySelectorAll('.detail .layerbar i').length") >= 5


def test_arrow_keys_walk_along_the_front(tab, reported_run):
    tab.run("document.querySelector('.view .member[tabindex=\"0\"]').focus()")
    fastest = min(reported_run.front().rows, key=lambda row: row[1])
    ids = dict(zip(reported_run.front().rows, reported_run.front().ids))
    order = [ids[row] for row in sorted(reported_run.front().rows, key=lambda row: row[1])]
    assert order[0] == ids[fastest]
    for expected in order[1:3]:
        tab.press("ArrowRight")
        assert tab.run("document.querySelector('.detail h4').textContent") == expected


def test_tabs_show_the_other_device(tab):
    visible = "[...document.querySelectorAll('.view')].map(v => v.checkVisibility())"
    assert tab.run(visible) == [True, False]
    tab.run("document.querySelectorAll('[role=tab]')[1].click()")
    assert tab.run(visible) == [False, True]
    assert tab.run("document.querySelectorAll('[aria-selected=true]').length") == 1


def test_layers_are_sorted_and_filtered(tab, profile):
    set_to(tab, ".words", "kernel=5 stride=2")
    wanted = [key for key in profile.table.measurements if "kernel=5" in key and "stride=2" in key]
    assert tab.run("document.querySelector('.filter .count').textContent").startswith(f"{len(wanted)} of ")
    assert len(tab.run(ROWS)) == min(25, len(wanted))
    tab.run("document.querySelector('th[data-by=us] button').click()")
    assert tab.run("document.querySelector('th[data-by=us]').getAttribute('aria-sort')") == "ascending"
    times = [float(row.split("\t")[1]) for row in tab.run(ROWS)]
    assert times == sorted(times)
    set_to(tab, ".words", "")
    tab.run("document.querySelector('button.all').click()")
    assert len(tab.run(ROWS)) == len(profile.table.measurements)


def test_the_theme_changes_and_print_is_light(tab):
    paper = "getComputedStyle(document.body).backgroundColor"
    light = tab.run(paper)
    tab.run("document.querySelector('#theme').click()")
    assert tab.run(paper) != light
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.run(paper) == light
    assert tab.run("[...document.querySelectorAll('.view')].every(v => v.checkVisibility())")
    assert not tab.run("[...document.querySelectorAll('.controls, .tabs, nav')].some(v => v.checkVisibility())")
    tab.call("Emulation.setEmulatedMedia", media="")


def test_a_narrow_screen_scrolls_in_one_direction(tab):
    tab.call("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=True)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    tab.call("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)


def test_without_a_script_drawings_and_tables_are_there(chromium, page_file):
    chromium.call("Emulation.setScriptExecutionDisabled", value=True)
    chromium.open(page_file)
    chromium.call("Emulation.setScriptExecutionDisabled", value=False)
    assert chromium.run("document.querySelectorAll('svg.front .member').length") > 2
    assert chromium.run("[...document.querySelectorAll('noscript table')].length") > 0
    assert not chromium.run("document.querySelector('.controls').checkVisibility()")


def test_hostile_text_neither_runs_nor_fetches(chromium, hostile_file):
    chromium.open(hostile_file)
    assert chromium.run("document.title").endswith("Gnomon report")
    assert chromium.run("document.querySelectorAll('img').length") == 0
    assert "</script><script>" in chromium.run("document.querySelector('.run').innerText")
    assert chromium.complaints == []
    assert chromium.requests == [hostile_file.as_uri()]
