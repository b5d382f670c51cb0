"""`gnomon pareto`: the front of a run, what is picked from it, its plot."""

import re

import pytest


def test_a_front_is_written_as_pdf(gnomon, finished_run, profile_name, tmp_path):
    assert gnomon("pareto", finished_run, "--plot", tmp_path / "f.pdf").code == 0
    assert (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF-")
    assert gnomon("lut", "show", profile_name, "--plot", tmp_path / "g.pdf").code == 0
    assert (tmp_path / "g.pdf").read_bytes().startswith(b"%PDF-")


def test_what_is_picked_is_marked_and_labelled(gnomon, finished_run, tmp_path):
    found = gnomon("pareto", finished_run, "--pick", "knee", "--spread", 2, "--json").json
    plot = tmp_path / "f.svg"
    assert gnomon("pareto", finished_run, "--pick", "knee", "--spread", 2, "--plot", plot).code == 0
    said = re.findall(r"<text[^>]*>(.*?)</text>", plot.read_text())
    assert f"pick {found['pick']}" in said
    for member in found["spread"]:
        assert member in said or f"pick {member}" in said
    bare = tmp_path / "bare.svg"
    assert gnomon("pareto", finished_run, "--plot", bare).code == 0
    assert found["pick"] not in bare.read_text()


def test_a_member_that_is_none_cannot_be_marked(finished_run, tmp_path):
    from gnomon.reports.errors import PlotRefused
    from gnomon.reports.figures import plot_front
    from gnomon.search import load_run

    with pytest.raises(PlotRefused, match="00000000 is not on the front"):
        plot_front(load_run(finished_run), tmp_path / "f.png", picks={"00000000": "best"})


def test_pareto_front_and_pick(gnomon, finished_run):
    found = gnomon("pareto", finished_run, "--pick", "knee", "--json").json
    assert found["pick"] in {row["id"] for row in found["front"]}
    assert found["trace"] == sorted(found["trace"])
    assert "<- pick" in gnomon("pareto", finished_run, "--pick", "knee").out


def test_plots_are_pictures(gnomon, finished_run, profile_name, tmp_path):
    png, svg = tmp_path / "front.png", tmp_path / "lut.svg"
    assert gnomon("pareto", finished_run, "--plot", png).code == 0
    assert gnomon("lut", "show", profile_name, "--plot", svg).code == 0
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "<svg" in svg.read_text()


@pytest.mark.parametrize("rule", ["best accuracy", "weights accuracy=2,latency=1", "knee"])
def test_preferences_pick_from_the_front(gnomon, finished_run, rule):
    found = gnomon("pareto", finished_run, "--pick", rule, "--json").json
    front = {row["id"]: row for row in found["front"]}
    assert found["pick"] in front
    if rule == "best accuracy":
        assert front[found["pick"]]["accuracy"] == max(row["accuracy"] for row in front.values())


def test_a_spread_is_marked(gnomon, finished_run):
    found = gnomon("pareto", finished_run, "--spread", 2, "--json").json
    assert len(found["spread"]) == min(2, len(found["front"]))
    assert set(found["spread"]) <= {row["id"] for row in found["front"]}
    assert gnomon("pareto", finished_run, "--spread", 2).out.count("<- spread") == len(found["spread"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pick", "weights accuracy=2,latncy=1"), "did you mean 'latency'?"),
        (("--pick", "weights accuracy:2"), "weights accuracy=2,latency=1"),
        (("--pick", "best"), "best accuracy"),
        (("--spread", "0"), "ask for at least 1"),
    ],
)
def test_bad_preferences(gnomon, finished_run, arguments, said):
    outcome = gnomon("pareto", finished_run, *arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert outcome.out == ""


def test_a_plot_of_one_objective_is_refused(gnomon, tmp_path):
    arguments = ("--objectives", "macs", "--tactic", "random", "--budget", 4, "--population", 2)
    assert gnomon("search", "--out", tmp_path / "run", *arguments).code == 0
    outcome = gnomon("pareto", tmp_path / "run", "--plot", tmp_path / "f.png")
    assert outcome.code == 2
    assert "a plot needs two" in outcome.err
    assert not (tmp_path / "f.png").exists()
