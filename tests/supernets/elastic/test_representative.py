"""The order of calibration examples: each beginning stands for all, and leaves every network's statistics its own."""

import numpy as np
import pytest
import torch

from gnomon.supernets.data.labelled import batches_of
from gnomon.supernets.elastic.network import ElasticNetwork
from gnomon.supernets.elastic.normalisation import CorrectedCalibration
from gnomon.supernets.elastic.references import Reference, averaged, mean_corrections
from gnomon.supernets.elastic.representative import herded, representative_order
from gnomon.supernets.supernet import load_supernet

SHARE = 0.1


@pytest.fixture(scope="module")
def supernet():
    torch.set_num_threads(1)
    return load_supernet("fashion_mnist")


@pytest.fixture(scope="module")
def architecture(supernet):
    (row,) = supernet.space.sample(1, np.random.default_rng(5))
    return supernet.space.architecture(row)


def distance(statistics, expected):
    """Return how far statistics are from expected ones, in deviations, the mean over places."""
    apart = [
        ((mean - expected[key][0]).square() / expected[key][1].clamp(min=1e-6)).mean()
        for key, (mean, _) in statistics.items()
    ]
    return float(torch.stack(apart).mean())


def test_every_beginning_keeps_the_mean_near_that_of_all():
    features = np.random.default_rng(0).normal(size=(200, 8))
    features -= features.mean(axis=0)
    order = herded(features @ features.T)
    assert sorted(order.tolist()) == list(range(200))
    for n in (10, 20, 50, 100):
        drawn = [np.random.default_rng(seed).permutation(200)[:n] for seed in range(20)]
        random = min(np.linalg.norm(features[rows].mean(axis=0)) for rows in drawn)
        assert np.linalg.norm(features[order[:n]].mean(axis=0)) < random


@pytest.mark.slow
def test_a_network_that_was_not_looked_at_is_calibrated_better_than_on_random_examples(supernet, architecture):
    whole = supernet.statistics(architecture)
    few = distance(supernet.statistics(architecture, SHARE), whole)
    images, batch = supernet.task.calibration, round(SHARE * len(supernet.task.calibration))
    drawn = []
    for seed in range(2):
        rows = np.random.default_rng(seed).permutation(len(images))[:batch]
        (values,) = (torch.from_numpy(images.take(rows).inputs()),)
        drawn.append(distance(supernet.network.calibrate(architecture, values), whole))
    assert few < 0.7 * min(drawn)


@pytest.mark.slow
def test_full_calibration_is_as_it_was_and_no_network_changes_another(supernet, architecture):
    images = torch.from_numpy(supernet.task.calibration.inputs()).contiguous(memory_format=torch.channels_last)
    expected = supernet.network.calibrate(architecture, images)
    before = supernet.statistics(architecture, SHARE)
    supernet.statistics(supernet.network.largest, SHARE)
    for found, wanted in (
        (supernet.statistics(architecture), expected),
        (supernet.statistics(architecture, SHARE), before),
        (load_supernet("fashion_mnist").statistics(architecture, SHARE), before),
    ):
        assert found.keys() == wanted.keys()
        assert all(torch.equal(a, b) for key in wanted for a, b in zip(found[key], wanted[key]))


@pytest.mark.slow
def test_corrections_of_a_network_take_its_own_few_statistics_to_those_on_all(supernet, architecture):
    rows = np.arange(40)
    (every,), (few,) = supernet.calibration_batches(), supernet.calibration_batches(rows)
    network, whole = supernet.network, supernet.network.calibrate(architecture, every)
    reference = Reference.of(network, architecture, [every])
    corrected = network.calibrate_on(architecture, [few], CorrectedCalibration(reference.corrections(rows)))
    measured = network.calibrate(architecture, few)
    assert distance(corrected, whole) < 1e-3 * distance(measured, whole)
    for key, (_, variance) in whole.items():
        assert torch.allclose(corrected[key][1], variance, rtol=1e-2, atol=1e-4)


@pytest.mark.slow
def test_corrections_by_other_networks_leave_outputs_nearer_to_those_of_full_calibration(supernet, architecture):
    images, network = supernet.split("validation").take(np.arange(200)), supernet.network
    rows = supernet.calibration_examples.order[: round(SHARE * len(supernet.task.calibration))]
    whole, corrected, measured = (
        network.logits_of(batches_of(images, 200), architecture, statistics)
        for statistics in (
            supernet.statistics(architecture),
            supernet.statistics(architecture, SHARE),
            network.calibrate_on(architecture, supernet.calibration_batches(rows)),
        )
    )
    assert (corrected - whole).square().mean() < 0.8 * (measured - whole).square().mean()


def test_a_channel_is_corrected_by_the_references_that_have_it():
    assert averaged([torch.tensor([1.0, 3.0]), torch.tensor([3.0])]).tolist() == [2.0, 3.0]
    moments = {"a": (torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0], [12.0]]))}
    known = Reference({"a": (torch.tensor([2.0]), torch.tensor([3.0]))}, moments)
    without = Reference({}, {})
    lacking, factor = mean_corrections([known, without], np.array([0]))["a"]
    assert lacking.tolist() == pytest.approx([1.0], rel=1e-4)  # of a mean of 1 and a variance of 1, and of all 2 and 3
    assert factor.exp().tolist() == pytest.approx([3.0], rel=1e-4)


def test_a_network_without_batch_norm_has_no_order():
    class Plain:
        calibrate_on = ElasticNetwork.calibrate_on

        def outputs(self, batch, architecture, normalise):
            ran.append(1)
            return {}

    ran = []
    nothing = Reference.of(Plain(), None, iter([torch.zeros(2, 1), torch.zeros(2, 1)]))
    assert representative_order([nothing, nothing]) is None
    assert ran == [1]
