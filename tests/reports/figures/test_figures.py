"""Figures for papers: they hold what they are about, as vectors with letters, and refuse what they cannot draw."""

from dataclasses import replace

import pytest

from gnomon.lut.analysis.explain import explain
from gnomon.reports.errors import PlotRefused
from gnomon.reports.figures import plot_breakdown, plot_front, plot_hypervolume

pytestmark = pytest.mark.slow


def drawn(draw, path):
    """Return the text of an SVG that is drawn at `path`."""
    draw(path)
    text = path.read_text(encoding="utf-8")
    assert "<dc:title>Gnomon</dc:title>" in text
    return text


def test_a_front_shades_what_breaks_a_constraint_and_shows_intervals(reported_run, profile, tmp_path):
    plain = drawn(lambda path: plot_front(reported_run, path), tmp_path / "plain.svg")
    assert "breaks latency" not in plain
    middle = sorted(values[1] for values in reported_run.values)[len(reported_run.values) // 2]
    config = reported_run.config.model_copy(update={"constraints": (f"latency<={2 * middle:.0f}us",)})
    run = replace(reported_run, header=reported_run.header.model_copy(update={"config": config}))
    low, high = (sorted(values[1] for values in run.values)[n] for n in (0, -1))
    assert low < 2 * middle
    text = drawn(lambda path: plot_front(run, path, profile=profile), tmp_path / "front.svg")
    assert ("breaks latency" in text) == (2 * middle < high)
    assert text.count("LineCollection") > plain.count("LineCollection")


def test_several_seeds_are_a_median_with_a_band(reported_run, tmp_path):
    shorter = replace(reported_run, evaluations=reported_run.evaluations[:9], stop=None)
    text = drawn(lambda path: plot_hypervolume([reported_run, shorter], path), tmp_path / "h.svg")
    assert "lowest to highest of 2" in text
    alone = drawn(lambda path: plot_hypervolume([reported_run], path), tmp_path / "one.svg")
    assert "lowest to highest" not in alone


def test_hypervolumes_of_different_reference_points_are_not_drawn_together(reported_run, empty_run, tmp_path):
    header = reported_run.header
    objectives = tuple(replace(objective, reference=objective.reference + 1) for objective in header.objectives)
    moved = replace(reported_run, header=header.model_copy(update={"objectives": objectives}))
    with pytest.raises(PlotRefused, match="different reference points"):
        plot_hypervolume([reported_run, moved], tmp_path / "h.svg")
    with pytest.raises(PlotRefused, match="nothing to draw"):
        plot_hypervolume([empty_run], tmp_path / "h.svg")


def test_a_breakdown_names_the_stages_and_the_predictions(profile, tmp_path):
    space = profile.space
    found = {"smallest": explain(profile, space.architecture(0 * space.radices))}
    text = drawn(lambda path: plot_breakdown(found, path), tmp_path / "b.svg")
    for stage in found["smallest"].stages:
        assert stage.name in text
    assert f"{found['smallest'].value_us:,.4g} us" in text
    with pytest.raises(PlotRefused, match="nothing to draw"):
        plot_breakdown({}, tmp_path / "c.svg")


def test_an_explanation_shows_itself_in_a_notebook(profile):
    found = explain(profile, profile.space.architecture(0 * profile.space.radices))
    html = found._repr_html_()
    assert found.architecture.id in html
    assert all("<th" in html and stage.name in html for stage in found.stages)
