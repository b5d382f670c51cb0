"""The measurements of a profile's layers, each made from its line of the file when it is first asked for.

A profile may hold a hundred thousand layers, of which a search space has some hundreds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...profilers.journal import value_from_json
from ...profilers.timing.measurement import Measurement
from .schema import LayerRecord
from .timeline import Timeline


class LayerMeasurements(Mapping[str, Measurement]):
    """Measurements by layer key, in the order of the keys given; made already, or to be made of a line.

    Only what no probe was read beside can be made of its line alone: a probe's readings are judged together.
    """

    def __init__(self, found: Mapping[str, Measurement | bytes], timeline: Timeline) -> None:
        self._found = dict(found)
        self._timeline = timeline

    def __getitem__(self, key: str) -> Measurement:
        found = self._found[key]
        if isinstance(found, bytes):
            found = self._timeline.measurement(LayerRecord.model_validate(value_from_json(found)))
            self._found[key] = found
        return found

    def __contains__(self, key: object) -> bool:
        return key in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
