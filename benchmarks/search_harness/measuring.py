"""Validates what a method asks for: in full, on random images, or on those that decide where a landscape has images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gnomon.search.problem.objective import Objective, measure
from gnomon.supernets.evaluation.deciding import PILOTS, Outcomes
from gnomon.supernets.space.space import Indices
from search_harness.landscape import HasImages, Landscape


@dataclass
class Measuring:
    """The validations of one run: what the pilots were right about, and the processor `seconds` of all so far."""

    landscape: Landscape
    objectives: Sequence[Objective]
    in_part: bool  # whether the search may validate on a share of the images
    told: list[Outcomes] = field(default_factory=list)
    seconds: float = 0.0
    ordered: bool = False

    @property
    def images(self) -> HasImages | None:
        """The landscape where it has images."""
        return self.landscape if isinstance(self.landscape, HasImages) else None

    @property
    def pilots(self) -> int:
        """After how many full validations the first one in part is made."""
        return PILOTS if self.images is not None and self.in_part else 1

    def values(self, row: Indices, share: float) -> tuple[float, ...]:
        """Validate one network (d) on a share of the images."""
        images = self.images
        if images is None:
            return measure(self.objectives, row, share)
        if share < 1.0 and not self.ordered:
            self.ordered, self.seconds = True, self.seconds + images.order_seconds
        if share < 1.0 and len(self.told) == PILOTS:
            top1, seconds = images.estimated(row, share, self.told)
            self.seconds += seconds
            return top1, float(self.landscape.price(row[None])[0])
        if share == 1.0 and self.in_part and len(self.told) < PILOTS:
            self.told.append(images.outcomes(row))
        self.seconds += images.seconds(row, share)
        return measure(self.objectives, row, share)
