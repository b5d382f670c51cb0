"""Which visits a run still has to make, in order, and when a new process takes its turn.

`timing/schedule.py` decides it from what was measured; here is what was measured, and how much time is left.
"""

from __future__ import annotations

from collections import Counter
from typing import Callable, Dict, Iterator, Mapping, Optional, Sequence, Set, Tuple

from ..results.contention import probed_visits
from ..results.results import Results
from ..results.visits import Visit, measurements_from_visits
from ..timing.measurement import Measurement
from ..timing.plan import ROLES, TimingPlan
from ..timing.schedule import Models, Step, Turn, expected_visits, is_never_clean, is_reviewed, pass_steps
from .time_left import Ahead, Left, VisitCosts

RESUME_SLOT = -1  # of the anchor visits a resumed session begins with


class DueVisits:
    """What one process has still to visit.

    visits and failed_in are those of the execution, which adds to them: every visit so far, and the pass in which a
    model failed. seconds: says how long the run took so far. has_probe: whether clean blocks are told from others.
    """

    def __init__(
        self,
        plan: TimingPlan,
        recorded: Results,
        *,
        visits: Sequence[Visit],
        failed_in: Mapping[str, int],
        seconds: Callable[[], float],
        has_probe: bool,
    ) -> None:
        self._policy = plan.policy
        keys = {role: [item.key for item in plan.items if item.role == role] for role in ROLES}
        self._models = Models(keys["layer"], keys["network"], keys["anchor"])
        self._visits = visits
        self._failed_in = failed_in
        self._seconds = seconds
        self._has_probe = has_probe
        self._began_with = len(visits)
        self._loading_ms, self._added = 0.0, 0
        self._costs = VisitCosts()
        self._of_pass: Dict[int, int] = Counter()
        self._number = len(recorded.turns)
        self._first_pass, self._began_s = (
            (recorded.turns[-1].first_pass, recorded.turns[-1].seconds) if recorded.turns else (0, 0.0)
        )
        self._add()
        self._costs.begin()

    @property
    def next_pass(self) -> int:
        """The first pass in which nothing was visited yet."""
        return max((visit.step.pass_index + 1 for visit in self._visits), default=self._first_pass)

    @property
    def may_be_followed(self) -> bool:
        """Whether the plan has a process after this one."""
        return self._number + 1 < self._policy.processes

    def is_followed(self) -> bool:
        """Tell whether a new process is to take its turn after this one: not where loading everything lasts too long.

        Loading for all processes that are to come may take half of the time that is left.
        """
        to_come = self._policy.processes - self._number - 1
        if not self.may_be_followed or not self._visits:
            return False
        own = [visit for visit in self._visits if visit.step.pass_index >= self._first_pass]
        loading_s = sum(visit.load_ms for visit in own) / 1e3
        return 2 * to_come * loading_s <= self._policy.time_cap_s - self._seconds()

    def steps(self, *, is_last: bool, first_pass: Optional[int] = None) -> Iterator[Tuple[Step, Left]]:
        """Yield each step still to make, and what is left with it.

        is_last: whether no further process follows, so that what is missing has to be made here. first_pass: passes
        before it are made; None for those of this process from its first one on.
        """
        policy, turn = self._policy, Turn(self._number, self._first_pass, is_last, self._has_probe)
        until_s = turn.until_s(policy, self._began_s)
        taken: Set[Step] = {visit.step for visit in self._visits}
        earlier: Dict[str, Optional[Measurement]] = {}
        seen = 0
        for pass_index in range(first_pass or turn.first_pass, turn.first_pass + policy.max_passes):
            number = pass_index - turn.first_pass
            visits = self._counted(pass_index, since=turn.since)
            if is_reviewed(visits, seen):
                earlier, seen = self._before(pass_index, since=turn.since), visits
            steps = pass_steps(self._models, pass_index=pass_index, policy=policy, earlier=earlier, turn=turn)
            if not steps:  # nor will there be any, for nothing is measured any more
                return
            due = [step for step in steps if step not in taken and step.key not in self._failed_in]
            if due and self._began_with and len(self._visits) == self._began_with:
                alive = [key for key in self._models.anchors if key not in self._failed_in]
                due = [Step(key, pass_index, RESUME_SLOT) for key in alive] + due
            is_beyond_least = number >= turn.passes(policy)
            gives_up = is_beyond_least and is_never_clean(policy, earlier.values())
            expected = expected_visits(self._models, pass_index=pass_index, policy=policy, earlier=earlier, turn=turn)
            loads = 0 if is_last else (policy.processes - self._number - 1) * len(expected)
            ahead = Ahead(self._costs, [step.key for step in due], expected, loads)
            for place, step in enumerate(due):
                if step.key in self._failed_in:
                    continue
                if pass_index > 0 and self._seconds() > until_s:
                    return
                if is_beyond_least and self._is_settled(earlier.get(step.key), gives_up):
                    continue
                self._add()
                yield step, ahead.left(place)

    def _is_settled(self, measurement: Optional[Measurement], gives_up: bool) -> bool:
        """Tell whether the time for a model's further visits is over; anchors, which have none, go on with the rest.

        With a probe that finds clean blocks only the time cap ends the visits to what still lacks them.
        """
        policy = self._policy
        if self._has_probe and not gives_up:
            return False
        overtime = (self._seconds() - self._loading_s()) / policy.settle_s
        disagreement = 0.0 if measurement is None else measurement.relative_disagreement
        return overtime > 2 or (overtime > 1 and disagreement <= 2 * policy.relative_target)

    def _loading_s(self) -> float:
        """Return how long loading took so far."""
        self._add()
        return self._loading_ms / 1e3

    def _counted(self, pass_index: int, *, since: int) -> int:
        """Return how many visits the passes from ``since`` to ``pass_index`` made."""
        self._add()
        return sum(count for number, count in self._of_pass.items() if since <= number < pass_index)

    def _add(self) -> None:
        """Add up what was visited since the last time, so that no visit is looked at twice."""
        for visit in self._visits[self._added :]:
            self._costs.note(visit)
            self._loading_ms += visit.load_ms
            self._of_pass[visit.step.pass_index] += 1
        self._added = len(self._visits)

    def _before(self, pass_index: int, *, since: int) -> Dict[str, Optional[Measurement]]:
        """Return what the passes from ``since`` to ``pass_index`` measured; None for what failed before the latter."""
        visits = [visit for visit in self._visits if since <= visit.step.pass_index < pass_index]
        known: Dict[str, Optional[Measurement]] = {}
        known.update(measurements_from_visits(visits, probed_visits(visits)))
        known.update({key: None for key, failed_in in self._failed_in.items() if failed_in < pass_index})
        return known
