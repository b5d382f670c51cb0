"""A task judged by BLEU goes the way that accuracy goes: search, front, picks, notebook, final front, command line."""

from dataclasses import replace

import pytest

from gnomon.cli.main import run as gnomon
from gnomon.lut import ProfileRequest, build_profile
from gnomon.search import SearchConfig, SearchContext, load_run, search_in_context
from gnomon.search.errors import MissingContext
from gnomon.search.final.final import final_front
from gnomon.search.problem.build import build_objective
from gnomon.search.problem.task_metric import needs_supernet
from gnomon.search.testing.contracts import AnalyticSupernet
from gnomon.supernets.metric import ACCURACY, BLEU

pytestmark = pytest.mark.slow

CONFIG = SearchConfig(space="pairs", objectives=("bleu", "latency"), tactic="gnomon", budget=8, partial_share=0.5)


@pytest.fixture
def supernet(pairs):
    return AnalyticSupernet(pairs, metric=BLEU)


@pytest.fixture
def profile(pairs, quick_policy, tmp_path):
    return build_profile(ProfileRequest("pairs", "fake", networks=16, policy=quick_policy), tmp_path / "p.jsonl")


@pytest.fixture
def run(supernet, profile, tmp_path):
    provenance = {"profile": {"name": profile.name, "sha256": profile.digest}}
    context = SearchContext(supernet.space, supernet, profile.latency)
    return search_in_context(context, CONFIG, tmp_path / "run", provenance=provenance)


def test_a_search_keeps_bleu_in_its_unit_and_finds_a_front(run, supernet):
    bleu = run.objectives[0]
    assert (bleu.name, bleu.unit, bleu.direction) == ("bleu", "BLEU", "max")
    front = run.front()
    assert len(front.values) > 1
    for architecture, (value, _) in zip(front.architectures, front.values):
        assert value == supernet.evaluate(architecture, "validation")
    assert ">bleu<" in front.html()
    assert "bleu" in front.frame().columns


@pytest.mark.parametrize("rule", ["best bleu", "weights bleu=2,latency=1", "knee", "bleu>=61"])
def test_picks_know_bleu(run, rule):
    assert run.front().pick(rule) in run.front().architectures


def test_the_final_front_reports_bleu_on_the_other_split_and_times_programs(run, supernet, profile):
    final = final_front(run, supernet=supernet, profile=profile)
    truth = {network.id: m.value_us for network, m in zip(profile.networks, profile.network_measurements)}
    assert final.costly == ("bleu",)
    for member in final.members:
        assert member.report == {"bleu": pytest.approx(member.search["bleu"] - 0.25)}
        assert final.timings[member.id].measured_us == truth[member.id]


def test_the_command_line_shows_bleu_and_its_final_front(run, supernet, profile, capsys):
    final_front(run, supernet=supernet, profile=profile)
    assert gnomon(["pareto", str(run.folder), "--pick", "best bleu", "--spread", "2"]) == 0
    assert " bleu  " in capsys.readouterr().out
    assert gnomon(["finish", str(run.folder)]) == 0
    printed = capsys.readouterr().out
    assert "bleu validation " in printed
    assert "BLEU from validation to test" in printed
    assert load_run(run.folder).front().values == run.front().values


@pytest.mark.parametrize(("asked", "own"), [(ACCURACY, BLEU), (BLEU, ACCURACY)])
def test_asking_for_another_tasks_metric_names_the_right_one(pairs, asked, own):
    context = SearchContext(pairs, AnalyticSupernet(pairs, metric=own))
    with pytest.raises(MissingContext, match=f"judged by {own.name}, not by {asked.name}.*`objectives={own.name},"):
        build_objective(asked.name, context)
    assert build_objective(own.name, context).unit == own.unit


@pytest.mark.parametrize("name", ["accuracy", "bleu"])
def test_a_metric_without_weights_says_what_to_pass(pairs, name):
    with pytest.raises(MissingContext, match=f"{name!r} needs a super-network.*`checkpoint`"):
        build_objective(name, replace(SearchContext(pairs), supernet=None))
    assert needs_supernet((name, "latency"), pairs)
    assert not needs_supernet(("macs", "latency"), pairs)
