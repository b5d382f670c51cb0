import numpy as np
import pytest

from gnomon.profilers import RunConfig
from gnomon.profilers.runtimes.backend import synthetic_input


def test_a_run_configuration_survives_json():
    config = RunConfig(device="cpu", precision="fp32", threads=4, batch=8)
    assert RunConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "fields",
    [{"threads": 0}, {"threads": True}, {"batch": 0}, {"batch": 1.5}, {"precision": "fp31"}, {"device": ""}],
)
def test_an_impossible_run_configuration_is_refused(fields):
    with pytest.raises(ValueError, match=next(iter(fields))):
        RunConfig(**fields)


def test_an_unknown_field_is_refused():
    with pytest.raises(ValueError, match="streams"):
        RunConfig.from_json(dict(RunConfig().to_json(), streams=2))


def test_synthetic_inputs_are_the_same_every_time_and_in_range():
    first = synthetic_input((2, 3), np.dtype("float32"))
    assert first.dtype == np.float32
    assert np.array_equal(first, synthetic_input((2, 3), np.dtype("float32")))
    assert np.abs(first).max() <= 1.0


def test_synthetic_integers_are_usable_as_indices():
    assert set(synthetic_input((64,), np.dtype("int64"))) == {0, 1}


def test_synthetic_whole_numbers_are_those_of_the_range():
    assert set(synthetic_input((500,), np.dtype("int64"), (3, 9))) == set(range(3, 9))
    assert synthetic_input((2,), np.dtype("int32"), (7, 8)).tolist() == [7, 7]
