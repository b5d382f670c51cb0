"""Whole sub-networks at other precisions: the file that is made is the file that is validated."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from gnomon.supernets import SupernetError
from gnomon.supernets.evaluation.evaluate import evaluate
from gnomon.supernets.precision import runner_at
from gnomon.supernets.supernet import load_supernet

pytestmark = pytest.mark.slow

SHARE = 0.1


@pytest.fixture(scope="module")
def classifier():
    return load_supernet("fashion_mnist")


@pytest.fixture(scope="module")
def smallest(classifier):
    return classifier.space.architecture(np.zeros_like(classifier.space.radices))


@pytest.mark.parametrize(("precision", "points"), [("int8", 6.0), ("fp16", 0.5)])
def test_an_evaluation_is_that_of_the_shipped_file(classifier, smallest, precision, points):
    (part,) = classifier.models(smallest, precision=precision)
    shipped = classifier.answers_from([runner_at(part.model, precision)], "test")  # one at a time
    found = classifier.evaluate(smallest, "test", precision=precision)  # many at once
    assert found == pytest.approx(classifier.score(shipped, "test"), abs=0.05)
    torch = classifier.evaluate(smallest, "test")
    assert abs(found - torch) < points


def test_a_share_is_validated_at_a_precision_too(classifier, smallest):
    values = {classifier.evaluate(smallest, "validation", SHARE, precision="int8") for _ in range(2)}
    assert len(values) == 1
    (one,) = evaluate(classifier, [smallest], "test", precision="int8")
    assert one.metrics == {"accuracy": classifier.evaluate(smallest, "test", precision="int8")}


def test_ranges_do_not_depend_on_the_batch(classifier, smallest):
    one, four = (
        {a.name: numpy_helper.to_array(a) for a in onnx.load_from_string(part.model).graph.initializer}
        for batch in (1, 4)
        for part in classifier.models(smallest, batch=batch, precision="int8")
    )
    assert one.keys() == four.keys()
    assert all(np.array_equal(one[name], four[name]) for name in one if name.startswith("layer"))


def test_an_unknown_precision_of_a_network_is_refused(classifier, smallest):
    with pytest.raises(SupernetError, match="did you mean 'int8'"):
        classifier.models(smallest, precision="int")


def test_translations_are_those_of_both_quantised_parts():
    translator = load_supernet("translate_en_de")
    smallest = translator.space.architecture(np.zeros_like(translator.space.radices))
    parts = translator.models(smallest, precision="int8")
    assert all(b"QuantizeLinear" in part.model for part in parts)
    runners = [runner_at(part.model, "int8") for part in parts]
    answers = translator.answers_from(runners, "test", 8)
    assert answers.arrays[0].shape == (8, translator.target)
    fp32, int8 = (translator.evaluate(smallest, "test", SHARE, precision=p) for p in ("fp32", "int8"))
    assert abs(int8 - fp32) < 8
