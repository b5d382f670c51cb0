"""What loading a profile costs a layer does not depend on how many there are: counted, not timed."""

import json

import pytest

from gnomon.lut import load_profile
from gnomon.lut.profile_file.schema import LayerRecord
from gnomon.lut.profile_file.store import path_of_profile
from gnomon.lut.profile_file.timeline import Timeline

SHIPPED = "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"


@pytest.fixture
def profile_of(tmp_path):
    """Return a function that writes a shipped profile with so many layers more, of no network of its space."""
    header, *rest = path_of_profile(SHIPPED).read_text().splitlines()
    layer = json.loads(next(line for line in rest if '"record":"layer"' in line))

    def write(more):
        path = tmp_path / f"{more}.jsonl"
        extra = [json.dumps(layer | {"key": f"conv(16x8x8,kernel={3 + 2 * n})"}) for n in range(more)]
        path.write_text("\n".join([header, *extra, *rest]) + "\n")
        return path

    return write


@pytest.mark.slow
def test_twice_the_layers_take_twice_the_steps(profile_of, steps):
    base, small, large = (steps(load_profile, profile_of(more)) for more in (0, 100, 200))
    assert large - base < 2.2 * (small - base)


def test_only_layers_that_are_asked_for_become_measurements(profile_of, monkeypatch):
    path, made = profile_of(500), []
    measurement = Timeline.measurement
    monkeypatch.setattr(Timeline, "measurement", lambda self, record: made.append(1) or measurement(self, record))
    profile = load_profile(path)
    assert len(profile.table.measurements) == 500 + len(load_profile(SHIPPED).table.measurements)
    assert not made
    row = profile.space.radices[None] - 1
    assert profile.latency.value_us(row) == load_profile(SHIPPED).latency.value_us(row)
    assert len(made) <= 2 * len(profile.space.unique_layers())  # of two profiles


def test_a_layer_made_later_is_the_one_made_at_once(profile_of):
    profile = load_profile(profile_of(0))
    records = [json.loads(line) for line in path_of_profile(SHIPPED).read_text().splitlines()]
    layers = [LayerRecord.model_validate(record) for record in records if record["record"] == "layer"]
    together = Timeline.of(profile.header.session_starts_s, profile.anchors).read(layers).measurements
    assert list(profile.table.measurements.values()) == together
