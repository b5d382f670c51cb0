"""The landscape `ofa` made of images, so that a share can be of those that decide.

Each image has a difficulty, and each option of each gene moves each image's margin by a normal effect of its own; a
network is right about the images whose margin is above its threshold, which is where its top-1 is exactly what
`ofa` says. One parameter is fitted, the size of the effects, to the share of the images on which two random networks
differ; `image_model.py` prints how the same model, fitted to our own super-network, compares with what that shows:
pairs that differ in one gene, images that are right or wrong for all, and errors of deciding shares, which are larger
in truth. Calibration of batch norm on a share adds an error of its own. Two assumptions: as pessimistic as `ofa` is
(two networks disagree on a tenth of the images, and calibration errs by as many points as on our own super-network),
and as fitted there (the same size of effects; a third of that error, as more images make it smaller). Seconds are in
full validations, and ordering the calibration images takes what it takes there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gnomon.search.problem.objective import Values
from gnomon.supernets import SearchSpace
from gnomon.supernets.data.labelled import rows_of_share
from gnomon.supernets.evaluation.deciding import DecidingExamples, Outcomes
from gnomon.supernets.space.space import Indices
from search_harness.images import normal_draws
from search_harness.ofa import Ofa

IMAGES = 50_000
FITTED, PESSIMISTIC = 0.30, 0.40  # sizes of effects: as fitted to our own super-network; two differ on a tenth
MEASURED_BLUR = 0.06  # points, where 1 / share - 1 is 1: of calibration on a share, `deciding_examples.py`
ORDER_SECONDS = 0.45


@dataclass(frozen=True)
class ImageModel:
    """So many `images`, and effects of genes of a size, where difficulties have 1, on the margins of a `space`."""

    space: SearchSpace
    images: int
    effects: float

    @cached_property
    def difficulty(self) -> NDArray[np.float32]:
        """Of each image, (images,)."""
        return np.random.default_rng(0).standard_normal(self.images).astype(np.float32)

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """The effect of each option on each image, (images, options): two random networks differ by about `effects`."""
        shape = self.images, int(self.space.radices.sum())
        drawn = np.random.default_rng(1).standard_normal(shape, dtype=np.float32)
        return drawn * np.float32(self.effects / math.sqrt(len(self.space.radices)))

    def outcomes(self, row: Indices, top1_percent: float) -> Outcomes:
        """Return what a network (d) of that top-1 is right about."""
        features = self.space.one_hot(row[None])[0].astype(np.float32)
        margins = self.difficulty + self.weights @ features
        right = min(max(round(self.images * top1_percent / 100), 1), self.images - 1)
        ordered = np.partition(margins, [self.images - right - 1, self.images - right])
        margins -= ordered[[self.images - right - 1, self.images - right]].mean()
        return Outcomes(margins > 0, np.abs(margins).astype(np.float16))


@dataclass(frozen=True)
class OfaImages(Ofa):
    """`blur` is what calibration on a share adds to each network's error, in points, where 1 / share - 1 is 1."""

    effects: float = PESSIMISTIC
    blur: float = MEASURED_BLUR

    @property
    def name(self) -> str:
        """Beside the landscape without images."""
        return "ofa-images"

    @property
    def setting(self) -> str:
        """The images, and what their calibration is assumed to blur."""
        return f"{IMAGES} images, effects {self.effects}, calibration blurs by {self.blur:.3f}"

    @cached_property
    def model(self) -> ImageModel:
        """The images."""
        return ImageModel(self.space, IMAGES, self.effects)

    def validated(self, rows: Indices, share: float, seed: int) -> Values:
        """Return the top-1 on all images, or on a random share of them, (n,)."""
        if share >= 1.0:
            return np.round(self.top1(rows) / 100 * IMAGES) * 100 / IMAGES
        chosen = rows_of_share(IMAGES, share)
        return np.array([100 * self.outcomes(row).right[chosen].mean() for row in self.space.canonical(rows)])

    def outcomes(self, row: Indices) -> Outcomes:
        """Return what a network (d) is right about on all images."""
        return self.model.outcomes(row, float(self.top1(row[None])[0]))

    def estimated(self, row: Indices, share: float, pilots: Sequence[Outcomes]) -> tuple[float, float]:
        """Return a network's top-1 by the share of the images that decides most, and its cost."""
        examples = DecidingExamples.of(pilots)
        canonical = self.space.canonical(row[None])[0]
        found = examples.percent(self.outcomes(canonical).at(examples.rows(share)))
        blurred = normal_draws(b"calibration" + canonical.tobytes(), round(1000 * share), 1)[0]
        return found + self.blur * math.sqrt(1 / share - 1) * float(blurred), share

    def seconds(self, row: Indices, share: float) -> float:
        """Return what a validation costs."""
        return share

    @property
    def order_seconds(self) -> float:
        """Return what ordering the calibration images costs."""
        return ORDER_SECONDS
