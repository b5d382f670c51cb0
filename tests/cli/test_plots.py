import re

import pytest

pytestmark = pytest.mark.slow


def test_a_front_is_written_as_pdf(gnomon, finished_run, profile_name, tmp_path):
    assert gnomon("pareto", finished_run, "--plot", tmp_path / "f.pdf").code == 0
    assert (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF-")
    assert gnomon("lut", "show", profile_name, "--plot", tmp_path / "g.pdf").code == 0
    assert (tmp_path / "g.pdf").read_bytes().startswith(b"%PDF-")


def test_what_is_picked_is_marked_and_labelled(gnomon, finished_run, tmp_path):
    found = gnomon("pareto", finished_run, "--pick", "knee", "--spread", 2, "--json").json
    plot = tmp_path / "f.svg"
    assert gnomon("pareto", finished_run, "--pick", "knee", "--spread", 2, "--plot", plot).code == 0
    said = re.findall(r"<!-- (.*?) -->", plot.read_text())
    assert f"pick {found['pick']}" in said
    for member in found["spread"]:
        assert member in said or f"pick {member}" in said
    bare = tmp_path / "bare.svg"
    assert gnomon("pareto", finished_run, "--plot", bare).code == 0
    assert found["pick"] not in bare.read_text()


def test_a_member_that_is_none_cannot_be_marked(finished_run, tmp_path):
    from gnomon.reports.errors import PlotRefused
    from gnomon.reports.plots import plot_front
    from gnomon.search import load_run

    with pytest.raises(PlotRefused, match="00000000 is not on the front"):
        plot_front(load_run(finished_run), tmp_path / "f.png", picks={"00000000": "best"})


def test_spaces_says_settings_and_different_networks(gnomon):
    found = {row["space"]: row for row in gnomon("spaces", "--json").json}
    assert found["ofa_mobilenetv3"]["networks"]["exact"]
    assert found["ofa_mobilenetv3"]["networks"]["value"] == (9**2 + 9**3 + 9**4) ** 5
    assert not found["fashion_mnist"]["networks"]["exact"]
    assert found["fashion_mnist"]["networks"]["value"] == pytest.approx(1.8e9, rel=0.1)
    shown = gnomon("spaces").out
    assert "about 1.8e+09" in shown
    assert "networks: the different sub-networks" in shown
