"""What a model's visits as an application made add up to: its start, and its latency with pauses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..journal import Record
from ..timing.application import PacedInferences
from ..timing.clean import is_clean, low_level
from ..timing.measurement import Contention, Measurement
from ..timing.schedule import Step
from .numbers import integer_from, number_from, us_from

FRESH_LOAD = "a fresh load, in a process that had loaded the runtime and other models before"


@dataclass(frozen=True)
class ApplicationVisit:
    """One fresh load of a model, its first inference, and the paced ones after it.

    load_ms: from reading the file to being ready; first_us: the first inference after it. start_probe_us: the probe's
    readings before the load and after the first inference; empty without a probe.
    """

    step: Step
    load_ms: float
    first_us: float
    start_probe_us: Tuple[float, ...]
    paced: Optional[PacedInferences]
    session: str
    t_s: float


@dataclass(frozen=True)
class SeenByApplication:
    """What an application sees of a model.

    load_ms, first_us: by fresh load, as `FRESH_LOAD` says it. clean_starts: those between two clean readings of the
    probe. paced: the latency of single inferences ``period_us`` apart; None where no period was asked for.
    late_share: the share of them that followed without a pause, because inferences take longer than the period.
    """

    load_ms: Tuple[float, ...]
    first_us: Tuple[float, ...]
    clean_starts: Tuple[bool, ...]
    paced: Optional[Measurement]
    late_share: float = 0.0

    @property
    def typical_load_ms(self) -> float:
        """The median of the loads that nobody disturbed; of all where none was undisturbed, or no probe told."""
        return self._typical(self.load_ms)

    @property
    def typical_first_us(self) -> float:
        """The median of the first inferences, of the same loads."""
        return self._typical(self.first_us)

    def _typical(self, values: Sequence[float]) -> float:
        return median([value for value, clean in zip(values, self.clean_starts) if clean] or values)


def seen_by_application(visits: Sequence[ApplicationVisit]) -> Dict[str, SeenByApplication]:
    """Return what the visits to each model add up to, by key.

    The clean level of the probe is that of each model and place by itself: before an inference the core has slept,
    after it it has worked, for as long as the model takes. Where the clock follows the load, each reads differently.
    """
    found: Dict[str, List[ApplicationVisit]] = {}
    for visit in visits:
        found.setdefault(visit.step.key, []).append(visit)
    return {key: _of_model(taken) for key, taken in found.items()}


def _of_model(taken: Sequence[ApplicationVisit]) -> SeenByApplication:
    ends = [low_level([visit.start_probe_us[end] for visit in taken if visit.start_probe_us]) for end in (0, 1)]
    paced = [visit.paced for visit in taken if visit.paced is not None]
    return SeenByApplication(
        load_ms=tuple(visit.load_ms for visit in taken),
        first_us=tuple(visit.first_us for visit in taken),
        clean_starts=tuple(
            bool(visit.start_probe_us) and all(is_clean(us / level) for us, level in zip(visit.start_probe_us, ends))
            for visit in taken
        ),
        paced=_paced(paced) if paced else None,
        late_share=sum(part.late for part in paced) / max(1, sum(len(part.us) for part in paced)),
    )


def _paced(parts: Sequence[PacedInferences]) -> Measurement:
    """Return the measurement: the median of the undisturbed inferences, or by the ratio rule where they are too few."""
    block_us = tuple(part.us for part in parts)
    if not all(part.before_us for part in parts):
        return Measurement(block_us, 1)
    before_us = low_level([us for part in parts for us in part.before_us])
    after_us = low_level([us for part in parts for us in part.after_us])
    clean: List[Tuple[bool, ...]] = []
    slowness: List[Tuple[float, ...]] = []
    for part in parts:
        pairs = [(b / before_us, a / after_us) for b, a in zip(part.before_us, part.after_us)]
        switches = part.switches or (0,) * len(pairs)
        clean.append(tuple(is_clean(b) and is_clean(a) and not n for (b, a), n in zip(pairs, switches)))
        slowness.append(tuple(math.sqrt(b * a) for b, a in pairs))
    return Measurement(block_us, 1, Contention(tuple(clean), tuple(slowness)))


def fields_of_visit(visit: ApplicationVisit) -> Record:
    """Return the fields of a visit's record, besides its step, session and time."""
    fields: Record = {"load_ms": round(visit.load_ms, 3), "first_us": round(visit.first_us, 3)}
    if visit.start_probe_us:
        fields["start_probe_us"] = [round(us, 3) for us in visit.start_probe_us]
    if visit.paced is not None:
        fields["paced_us"] = [round(us, 4) for us in visit.paced.us]
        fields["late"] = visit.paced.late
        named = {"before_us": visit.paced.before_us, "after_us": visit.paced.after_us, "switches": visit.paced.switches}
        fields.update({name: list(values) for name, values in named.items() if values})
    return fields


def visit_from_record(record: Mapping[str, Any], step: Step) -> ApplicationVisit:
    """Return the visit of a record; KeyError, TypeError or ValueError for what is none."""
    load_ms, first_us = number_from(record["load_ms"]), us_from(record["first_us"])
    start = _times(record, "start_probe_us")
    if len(start) not in (0, 2) or load_ms < 0:
        raise ValueError(f"{len(start)} readings around a load of {load_ms} ms and an inference of {first_us} us")
    paced = _paced_from_record(record) if "paced_us" in record else None
    return ApplicationVisit(step, load_ms, first_us, start, paced, str(record["session"]), number_from(record["t_s"]))


def _paced_from_record(record: Mapping[str, Any]) -> PacedInferences:
    us, before, after = (_times(record, name) for name in ("paced_us", "before_us", "after_us"))
    switches, late = tuple(integer_from(value) for value in record.get("switches", ())), integer_from(record["late"])
    count = len(us)
    if not us or {len(before), len(after)} not in ({0}, {count}) or len(switches) not in (0, count):
        raise ValueError(f"{len(before)} and {len(after)} readings and {len(switches)} switches of {count} inferences")
    if not 0 <= late <= count:
        raise ValueError(f"{late} of {count} inferences were late")
    return PacedInferences(us, before, after, switches, late)


def _times(record: Mapping[str, Any], name: str) -> Tuple[float, ...]:
    return tuple(us_from(value) for value in record.get(name, ()))
