"""A long search takes as many steps a validation as a short one, and asks for what it would ask for without memory."""

import zlib

import numpy as np
import pytest

from gnomon.search import SearchConfig, Study
from gnomon.search.archive import Archive
from gnomon.search.fronts.growing import Front
from gnomon.search.fronts.pareto import hypervolume
from gnomon.search.problem.build import build_objectives
from gnomon.search.runs.files.records import Evaluation
from gnomon.search.runs.growing.gain import Gain, GrowingVolume
from gnomon.search.runs.growing.history import History
from gnomon.search.runs.measured import feasible_volume, measured_of
from gnomon.search.testing.contracts import fake_context, problem_of
from gnomon.supernets import load_space

CONFIG = SearchConfig(space="fashion_mnist", objectives=("accuracy", "macs"), budget=4, tactic="random", population=4)
SPACE = load_space(CONFIG.space)


def evaluation(row, number, position, size, order, share, failed, values):
    return Evaluation(
        round=number,
        position=position,
        size=size,
        order=order,
        id=SPACE.architecture(row).id,
        indices=tuple(row.tolist()),
        share=share,
        values={} if failed else dict(zip(CONFIG.objectives, values)),
        expected=None,
        seconds=0.0,
        elapsed_s=0.0,
        failed="it raised" if failed else None,
    )


@pytest.fixture(scope="module")
def evaluations():
    """Rounds of all kinds of evaluations, told in an order in which up to three of them are open at once."""
    rng = np.random.default_rng(0)
    rows = np.unique(SPACE.sample(400, rng), axis=0)
    sizes = rng.integers(1, 9, 40)
    places = [(number, position, size) for number, size in enumerate(sizes) for position in range(size)]
    places.sort(key=lambda place: place[0] + 3 * rng.random())
    return [
        evaluation(
            row, number, position, size, order, rng.choice([0.1, 1.0]), rng.random() < 0.2, rng.random(2).tolist()
        )
        for order, (row, (number, position, size)) in enumerate(zip(rows, places[:-3]))
    ]


@pytest.fixture(scope="module")
def problem():
    return problem_of(SPACE, build_objectives(CONFIG.objectives, fake_context()))


def from_nothing(problem, evidence, evaluations, number, known, pending):
    """Return the archive as it is built from a list of all evaluations."""
    earlier = sorted((e for e in evaluations[:known] if e.round < number), key=lambda e: (e.round, e.position))
    told = [(e, [e.values.get(name) for name in CONFIG.objectives]) for e in earlier]
    return Archive.of(
        SPACE,
        problem,
        measured=[
            *((-1, row, values) for share, row, values in evidence if share == 1.0),
            *((e.round, e.indices, values) for e, values in told if e.is_full),
        ],
        partial=[
            *((share, row, values) for share, row, values in evidence if share < 1.0),
            *((e.share, e.indices, values) for e, values in told if e.is_partial),
        ],
        failed=[e.indices for e in earlier if e.failed],
        failed_shares=[e.share for e in earlier if e.failed],
        pilots=2,
        pending=pending,
    )


def test_an_archive_is_that_of_all_evaluations_known_before_the_round(evaluations, problem):
    row = tuple(SPACE.sample(1, np.random.default_rng(9))[0].tolist())
    evidence = [(1.0, row, (70.0, 1e6)), (0.2, row, (71.0, 1e6))]
    history = History(SPACE, problem, evidence, evaluations)
    candidates = np.array([e.indices for e in evaluations] + [row])
    for number in range(0, 40, 5):
        for known in (None, *range(0, len(evaluations), 17)):
            later = [] if known is None else [e for e in evaluations[known:] if e.round < number]
            later.sort(key=lambda e: (e.round, e.position))
            pending = [(e.share, e.indices) for e in later]
            assert known is None or list(history.pending_at(number, known)) == later
            archive = history.archive(number, known=known, pending=pending, pilots=2)
            expected = from_nothing(problem, evidence, evaluations, number, known, pending)
            for name in ("indices", "values", "rounds", "failed", "failed_shares", "pending", "pending_shares"):
                np.testing.assert_array_equal(getattr(archive, name), getattr(expected, name), strict=True)
            for name in ("indices", "shares", "values"):
                found, wanted = (getattr(one.partial, name) for one in (archive, expected))
                np.testing.assert_array_equal(found, wanted, strict=True)
            assert archive.keys == expected.keys
            assert len(archive.keys) == len(set(archive.keys)) == len(expected.keys)
            np.testing.assert_array_equal(archive.unseen(candidates), expected.unseen(candidates))


def test_an_archive_stays_as_it_was_while_the_history_grows(evaluations, problem):
    history = History(SPACE, problem, (), evaluations[:50])
    archive = history.archive(5)
    before = archive.indices.copy(), set(archive.keys)
    for one in evaluations[50:]:
        history.add(one)
    assert (archive.indices == before[0]).all()
    assert set(archive.keys) == before[1]
    with pytest.raises(ValueError, match="read-only"):
        archive.indices[0] = 0


def test_what_the_last_evaluations_gained_is_what_all_say(evaluations, problem, whole):
    header = whole.header
    volume = GrowingVolume(problem, header, None)
    gain, history = Gain(volume), History(SPACE, problem)
    for count, one in enumerate(evaluations, 1):
        history.add(one)
        volume.add([one])
        full = sorted((e for e in evaluations[:count] if e.is_full), key=lambda e: (e.round, e.position))
        assert volume.value == feasible_volume(problem, measured_of(header, None, full))
        before = gain.before_last(5, history)
        expected = feasible_volume(problem, measured_of(header, None, full[:-5])) if len(full) > 5 else None
        assert before == expected


def test_a_front_that_grows_has_the_volume_of_all_points():
    rng = np.random.default_rng(0)
    points = rng.random((200, 2))
    front = Front(np.full(2, 0.9))
    for point in points:
        front.add(point)
    assert front.volume == hypervolume(points, ("min", "min"), (0.9, 0.9))


@pytest.mark.slow
def test_a_validation_takes_as_many_steps_late_as_early(tmp_path, steps):
    """Counted over whole rounds of a study, each told one by one: asking, telling, and the hypervolume."""
    with Study(CONFIG.model_copy(update={"budget": 100_000}), tmp_path / "run") as study:

        def rounds(count):
            for _ in range(count):
                for trial in study.ask():
                    study.tell(trial, accuracy=float(zlib.crc32(repr(trial.indices).encode()) % 1000) / 10)
                    study._session.volume()

        rounds(3)
        early = steps(rounds, 3)
        rounds(60)
        late = steps(rounds, 3)
    assert late < 1.15 * early
