"""What a report says of networks that were evaluated in part."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from gnomon.reports.html.content.verdict import not_measured_in_run
from gnomon.search import load_run

RUN = load_run(Path(__file__).parents[2] / "search/samples/run_v9")


def said(run, final=None):
    lines = not_measured_in_run(SimpleNamespace(run=run, final=final, missing=()))
    return next((line for line in lines if "in part" in line), "")


def test_members_of_the_front_by_estimates_are_counted():
    estimated = [one for one in RUN.measured if one.share < 1.0 and one.architecture.id in RUN.front_ids()]
    full = {evaluation.indices for evaluation in RUN.evaluations if evaluation.is_full}
    looked = {evaluation.indices for evaluation in RUN.partial_evaluations} - full
    n = len(estimated)
    assert n > 0
    assert said(RUN).startswith(f"all examples of {len(looked)} networks, evaluated in part: {n} of these ")
    assert "on the front (gnomon finish validates" in said(RUN)


def test_where_full_validations_alone_count_none_is_on_the_front():
    alone = replace(RUN, header=RUN.header.model_copy(update={"opening_budget": None}))
    assert said(alone).endswith("none of these is on the front")


def test_nothing_is_said_where_all_were_validated_in_full():
    full = replace(RUN, evaluations=tuple(e for e in RUN.evaluations if e.is_full))
    assert said(full) == ""
