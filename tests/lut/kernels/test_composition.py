"""Planted laws are found; intervals hold what they say; nothing unknown counts as nothing."""

from dataclasses import replace

import numpy as np
import pytest

from gnomon.lut.kernels.composition import Composition
from gnomon.lut.kernels.features import Unmeasured
from gnomon.lut.kernels.graph.cost import Cost
from gnomon.lut.kernels.profile_file.lines import digest_of
from gnomon.lut.kernels.profile_file.profile import SHORTEST_US
from gnomon.lut.kernels.regression import ALL, KernelRegression
from gnomon.lut.kernels.terms import Part, Terms, TermsFit, quantities, sizes_for


@pytest.fixture(scope="module")
def regression(lawful):
    return KernelRegression(lawful)


def composition_of(profile):
    return Composition(profile, KernelRegression(profile))


def test_copies_and_the_call_are_taken_out_of_a_kernels_time(lawful, scripted):
    for one in lawful.kernels.values():
        assert one.value_us == pytest.approx(scripted.law_us(one.cost), rel=1e-3)
    assert lawful.call_us == scripted.call_us


def test_where_kernels_add_up_the_plain_sum_is_taken(lawful):
    composition = composition_of(lawful)
    assert composition.terms.names == ()
    assert composition.report.mape_percent < 0.1


def test_a_planted_factor_is_found(tmp_path, graphs, scripted):
    slower = scripted.write_profile(tmp_path / "p.jsonl", graphs, model_us=lambda us, graph: 1.2 * us)
    composition = composition_of(slower)
    assert "factor" in composition.terms.names
    assert composition.report.mape_percent < 3


def test_a_planted_time_a_kernel_is_found(tmp_path, graphs, scripted):
    calls = scripted.write_profile(
        tmp_path / "p.jsonl", graphs, model_us=lambda us, graph: us + 4.0 * sum(graph.counts.values())
    )
    composition = composition_of(calls)
    assert "call" in composition.terms.names
    assert composition.report.mape_percent < 5


def test_few_models_give_no_interval_and_say_so(tmp_path, graphs, scripted):
    few = scripted.write_profile(tmp_path / "p.jsonl", {name: graphs[name] for name in list(graphs)[:3]})
    composition = composition_of(few)
    assert composition.terms.names == ()
    assert "not verified" in composition.report.sentence()


def test_kernels_left_out_are_predicted_near_the_law(tmp_path, graphs, scripted):
    profile = scripted.write_profile(tmp_path / "p.jsonl", graphs, without=("shuffled-3",))
    regression = KernelRegression(profile)
    errors = []
    for key, kernel in graphs["shuffled-3"].kernels.items():
        if digest_of(key) not in profile.kernels:
            found = regression.predict(kernel.operator, key, kernel.cost)
            if found.sort != ALL:
                errors.append(abs(np.log(found.value_us / scripted.law_us(kernel.cost))))
    assert len(errors) >= 5
    assert np.mean(errors) < 0.1


@pytest.mark.parametrize("size", [1.0, 1e3, 1e9])
@pytest.mark.parametrize("operator", ["Conv", "NeverSeen"])
def test_a_kernel_far_from_all_others_gets_a_time_of_its_size(regression, size, operator, scripted):
    cost = Cost(size, size, size, size, max(1.0, size), 1.0, size, 1.0, 1.0, 1.0, 1.0, 1.0)
    found = regression.predict(operator, f"{operator}(x0:f32[1])->=f32[1]", cost)
    assert SHORTEST_US / 10 <= found.value_us <= 30 * scripted.law_us(cost)
    assert found.log_ratio > 0 or operator == "Conv"


def test_no_kernel_is_predicted_to_multiply_quicker_than_the_quickest(regression):
    sort = max((one for one in regression.groups if one != ALL), key=lambda one: len(regression.groups[one]))
    fitted = regression.fitted(sort)
    kernels = list(regression.groups[sort].values())
    rates = [one.cost.macs / one.value_us for one in kernels]
    assert np.median(rates) < fitted.macs_a_us <= max(rates)
    heavy = replace(kernels[0].cost, macs=1e6 * kernels[0].cost.macs)
    found = fitted.predict_log([Unmeasured(kernels[0].key, heavy)])[0]
    assert np.exp(found) >= 0.999 * heavy.macs / fitted.macs_a_us
    assert fitted.bounded([0], np.array([9.0]))[0] == pytest.approx(fitted.target[0] - fitted.least_log[0])


def test_errors_with_a_group_left_out_are_those_of_a_fit_without_it(regression):
    sort = next(name for name in regression.groups if name != ALL)
    fitted = regression.fitted(sort)
    group = set(fitted.digests[:3])
    without = (
        fitted.inverse[3:, 3:] - fitted.inverse[3:, :3] @ np.linalg.inv(fitted.inverse[:3, :3]) @ fitted.inverse[:3, 3:]
    )
    covariance = np.linalg.inv(fitted.inverse)
    expected = fitted.bounded(range(3), fitted.residual[:3] - covariance[:3, 3:] @ (without @ fitted.residual[3:]))
    found = fitted.errors_without(group)
    np.testing.assert_allclose([found[digest] for digest in fitted.digests[:3]], expected, atol=1e-6)


def test_kernels_of_no_model_are_predicted_from_each_other(tmp_path, graphs, scripted):
    profile = scripted.write_profile(tmp_path / "p.jsonl", graphs)
    kept = tuple(model for model in profile.models if not model.name.startswith("recurrent"))
    regression = KernelRegression(replace(profile, models=kept))
    owned = {digest for model in kept for digest in model.calls}
    found = [digest for sort in regression.groups for digest in regression.held_out_alone(sort)]
    assert sorted(found) == sorted(profile.kernels.keys() - owned)
    alone = {sort for sort in regression.groups if "LSTM" in sort or "GRU" in sort}
    assert alone
    assert all(0 < regression.spread_of(sort) < 0.5 for sort in alone)


def test_a_kernel_left_out_is_predicted_by_its_own_sort(regression):
    owners = [digest for model in regression.profile.models for digest in model.calls]
    scarce = 0
    for model in regression.profile.models:
        own = {digest for digest in model.calls if owners.count(digest) == 1}
        for digest, error in regression.held_out[model.name].items():
            expected = regression.fitted(regression.sorts[digest]).errors_without(own)[digest]
            assert error == pytest.approx(expected)
            scarce += regression.sorts[digest] == ALL
    assert scarce  # some have too few of their sort, and are predicted from kernels of all sorts


def fit_of(composition, names, cache_mib, kept):
    rows = np.array([quantities(composition.parts[at], cache_mib) for at in kept])
    return TermsFit(names, cache_mib, rows, composition.profile.call_us, composition.truth_us[kept])


def test_models_left_out_are_predicted_by_fits_to_the_others(tmp_path, graphs, scripted):
    profile = scripted.write_profile(
        tmp_path / "p.jsonl", graphs, model_us=lambda us, graph: 1.1 * us + 2.0 * sum(graph.counts.values())
    )
    composition, names = composition_of(profile), ("factor", "call")
    every = np.arange(len(profile.models))
    whole = fit_of(composition, names, 0.0, every)
    found = whole.held_out_us(whole.rows)
    for at in (0, 5):
        terms = fit_of(composition, names, 0.0, np.delete(every, at)).terms
        expected = terms.value_us(composition.parts[at], profile.call_us)
        assert found[at] == pytest.approx(expected, rel=1e-3)  # what models count for is found with all of them


def test_fitting_beforehand_changes_nothing(lawful):
    first, second = composition_of(lawful), composition_of(lawful)
    first.fit()
    parts, doubts = [Part(100.0, 1, 0.1, 0.1), Part(50.0, 1, 0.1, 0.1)], [0.2, 0.0]
    assert first.log_ratio(parts, doubts) == second.log_ratio(parts, doubts)
    assert first.terms == second.terms


@pytest.mark.parametrize("name", ["weights", "call"])
def test_a_model_that_fits_the_cache_evicts_nothing(name):
    terms = Terms((name,), 4.0, (10.0,))
    small, large = Part(100.0, 1, 1.0, 0.5), Part(100.0, 9, 1.0, 0.5)
    assert terms.value_us([small], 0.0) == pytest.approx(100)
    assert terms.value_us([large], 0.0) == pytest.approx(900 + 10 * 9 * (1 - (4 / 9.5) ** 2))


@pytest.mark.parametrize(
    ("caches", "least"),
    [([["L1d", 48, 1], ["L2", 2048, 1]], 1.0), ([["L2", 512, 1], ["L2", 4096, 4]], 0.25), ([], 0.25), (None, 0.25)],
)
def test_no_cache_is_tried_that_is_smaller_than_half_of_the_second_level(caches, least):
    assert min(sizes_for({"caches": caches})) == least


def test_a_device_of_huge_caches_has_one_to_try():
    assert sizes_for({"caches": [["L2", 1 << 20, 1]]}) == (32.0,)


def test_without_a_cache_every_call_takes_its_time():
    terms = Terms(("call",), 0.0, (10.0,))
    assert terms.value_us([Part(100.0, 1, 0.0, 1e-6)], 0.0) == pytest.approx(110)


def test_weights_and_values_count_as_far_as_a_cache_would_hold_them():
    parts = [Part(100.0, 2, 9.0, 3.0)]
    evicted = 1 - (4 / 21) ** 2
    assert Terms(("weights",), 4.0, (10.0,)).value_us(parts, 0.0) == pytest.approx(200 + 10 * evicted * 2 * 4)
    assert Terms(("values",), 4.0, (10.0,)).value_us(parts, 0.0) == pytest.approx(200 + 10 * evicted * 2 * 3)


def test_a_predicted_kernel_widens_the_interval(lawful, regression):
    composition, parts = Composition(lawful, regression), [Part(100.0, 1, 0.1, 0.1), Part(50.0, 1, 0.1, 0.1)]
    known, some, most = (composition.log_ratio(parts, doubts) for doubts in ([0.0, 0.0], [0.0, 0.5], [0.5, 0.5]))
    assert known <= some <= most


def noisy(tmp_path, graphs, scripted, seed, without=()):
    """A profile of a device on which a model takes 5 % more or less than its kernels, by chance."""
    rng = np.random.default_rng(seed)
    return scripted.write_profile(
        tmp_path / f"{seed}.jsonl",
        {name: graph for name, graph in graphs.items() if name not in without},
        model_us=lambda us, graph: us * rng.lognormal(0, 0.05),
    )


def test_a_model_like_no_other_has_more_leverage(tmp_path, graphs, scripted):
    slower = scripted.write_profile(tmp_path / "p.jsonl", graphs, model_us=lambda us, graph: 1.2 * us)
    composition = composition_of(slower)
    assert composition.terms.names
    alike = composition.parts[0]
    unlike = [Part(part.value_us, part.count, 50.0, 50.0) for part in alike]
    fit = next(one for one in composition.fits if one.names == ("weights",))
    assert fit.leverage(quantities(unlike, 4.0), 1000.0) > fit.leverage(quantities(alike, 4.0), 1000.0)


def test_a_model_has_no_part_in_the_choice_that_predicts_it(tmp_path, graphs, scripted):
    composition = composition_of(noisy(tmp_path, graphs, scripted, 1))
    every = np.arange(len(composition.truth_us))
    for at in (0, 7):
        kept = np.delete(every, at)
        of_others = composition.fits[int(composition.chosen.of_the_others[0, at])]
        fit = fit_of(composition, of_others.names, of_others.cache_mib, kept)
        said = fit.terms.value_us(composition.parts[at], composition.profile.call_us)
        honest = composition.truth_us[at] * (1 - composition.chosen.honest_errors[0, at])
        assert honest == pytest.approx(said, rel=5e-3)  # likewise
