import json

import numpy as np
import pytest

from gnomon.lut import ProfileDamaged, load_profile
from gnomon.lut.profile_file.schema import AnchorRecord, LayerRecord
from gnomon.lut.profile_file.timeline import Timeline

STARTS_S = {"first": 0.0, "second": 30.0}


def anchors(factor_of_second, n=30):
    rng = np.random.default_rng(0)
    return [
        AnchorRecord(
            key="anchor:a", session=session, t_s=float(t), value_us=100 * factor * (1 + 0.003 * rng.standard_normal())
        )
        for session, factor in (("first", 1.0), ("second", factor_of_second))
        for t in range(n)
    ]


def record(at_s, *us):
    return LayerRecord(key="layer", loops=3, block_us=tuple((value,) for value in us), at_s=at_s)


def test_visits_of_a_slower_session_are_scaled_to_the_faster_one():
    timeline = Timeline.of(STARTS_S, anchors(1.25))
    measurement = timeline.read([record((10.0, 45.0), 80.0, 100.0)]).measurements[0]
    assert measurement.block_us[0][0] == pytest.approx(80.0, rel=0.01)
    assert measurement.block_us[1][0] == pytest.approx(80.0, rel=0.01)
    assert measurement.loops == 3


def test_on_a_steady_machine_nothing_is_changed():
    timeline = Timeline.of(STARTS_S, anchors(1.0))
    assert timeline.read([record((10.0, 45.0), 80.0, 100.0)]).measurements[0].block_us == ((80.0,), (100.0,))


def test_a_speed_that_moves_too_far_to_be_believed_changes_nothing():
    timeline = Timeline.of(STARTS_S, anchors(1.7))
    assert timeline.read([record((10.0, 45.0), 80.0, 140.0)]).measurements[0].block_us == ((80.0,), (140.0,))


def test_without_times_nothing_is_changed():
    (measurement,) = Timeline.of(STARTS_S, anchors(1.25)).read([record((), 80.0, 100.0)]).measurements
    assert measurement.block_us == ((80.0,), (100.0,))
    (measurement,) = Timeline.of({}, anchors(1.25)).read([record((1.0, 2.0), 80.0, 90.0)]).measurements
    assert measurement.block_us == ((80.0,), (90.0,))


def test_blocks_that_the_probe_calls_disturbed_do_not_count():
    probed = LayerRecord(
        key="layer",
        loops=3,
        block_us=((80.0, 81.0, 79.0), (140.0, 141.0, 139.0), (80.0, 81.0, 200.0)),
        at_s=(1.0, 2.0, 3.0),
        probe_us=((20.0, 20.1, 20.2, 19.9), (35.0, 36.0, 35.0, 36.0), (20.0, 20.0, 20.0, 33.0)),
        switches=((0, 0, 0), (0, 0, 0), (0, 0, 0)),
    )
    (measurement,) = Timeline.of(STARTS_S, anchors(1.0)).read([probed]).measurements
    assert measurement.is_undisturbed
    assert [len(visit) for visit in measurement.used_us] == [3, 2]
    assert measurement.value_us == pytest.approx(80.0, rel=0.01)


def test_a_clean_block_is_taken_at_the_clean_level_of_the_core_s_clock():
    slower = (1.0, 1.06, 1.0, 0.97, 1.0)
    probed = LayerRecord(
        key="layer",
        loops=3,
        block_us=tuple((80.0 * clock,) * 8 for clock in slower),
        at_s=tuple(0.1 * visit for visit in range(5)),
        probe_us=tuple((20.0 * clock,) * 9 for clock in slower),
        switches=((0,) * 8,) * 5,
    )
    (measurement,) = Timeline.of(STARTS_S, anchors(1.0)).read([probed]).measurements
    assert [us for visit in measurement.used_us for us in visit] == pytest.approx([80.0] * 40, rel=0.001)
    (measurement,) = Timeline.of(STARTS_S, anchors(1.0), has_clock=False).read([probed]).measurements
    used = [us for visit in measurement.used_us for us in visit]
    assert used == pytest.approx([80.0 * clock for clock in slower for _ in range(8)])


def in_two_processes(factor):
    """Records of eight layers, all of which the second process takes longer for by one factor."""
    clean = (20.0,) * 7
    return [
        LayerRecord(
            key=f"layer{number}",
            loops=3,
            block_us=((80.0 + number,) * 6, (factor * (80.0 + number),) * 6),
            at_s=(1.0, 31.0),
            probe_us=(clean, clean),
        )
        for number in range(8)
    ]


@pytest.mark.parametrize("of_anchor", [0.96, 1.0, 1.05])
def test_an_anchor_that_a_process_placed_otherwise_moves_nothing_else(of_anchor):
    found = Timeline.of(STARTS_S, anchors(of_anchor)).read(in_two_processes(1.04)).measurements
    between = np.sqrt(1.04)  # the middle of the two processes
    assert [one.value_us for one in found] == pytest.approx(
        [between * (80.0 + number) for number in range(8)], rel=2e-3
    )


def test_of_two_speeds_that_no_placement_explains_the_faster_one_counts():
    found = Timeline.of(STARTS_S, anchors(1.3)).read(in_two_processes(1.3)).measurements
    assert [one.value_us for one in found] == pytest.approx([80.0 + number for number in range(8)], rel=2e-3)


def test_what_two_sessions_share_says_how_far_processes_are_apart():
    records = in_two_processes(1.05)
    evidence = Timeline.of(STARTS_S, anchors(1.05)).read(records)
    processes = evidence.processes
    assert (processes.models, processes.processes, processes.per_model) == (8, 2, 2.0)
    assert processes.common == pytest.approx(np.log(1.05) / np.sqrt(2), abs=1e-6)
    assert processes.own == pytest.approx(0.0, abs=1e-6)
    alone = [record.model_copy(update={"at_s": (1.0, 2.0)}) for record in records]
    assert Timeline.of(STARTS_S, anchors(1.05)).read(alone).processes is None
    assert {one.processes for one in evidence.measurements} == {(0, 1)}
    assert evidence.clean_level_us == 20.0


def test_times_that_do_not_match_the_visits_are_named(tmp_path):
    source = load_profile("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1")
    path = tmp_path / "p.jsonl"
    header = source.header.model_dump(by_alias=True, mode="json")
    layer = {"record": "layer", "key": "x", "loops": 1, "block_us": [[1.0], [2.0]], "at_s": [1.0]}
    fit = source.fit.model_dump(mode="json")
    path.write_text("".join(json.dumps(line) + "\n" for line in (header, layer, fit)))
    with pytest.raises(ProfileDamaged, match="line 2: at_s holds 1 times of 2 visits"):
        load_profile(path)
