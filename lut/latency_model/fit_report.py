"""The verified error of a latency model on held-out networks, as a profile stores it."""

from __future__ import annotations

from typing import Literal

from ..record import Record


class FitReport(Record):
    """The verified error of the latency model that was chosen, from networks it had not seen.

    Percentages are of the measured latency; they are None when no network was measured. `interval_ratio` is the factor
    of the 90 % prediction interval of a typical network: from value / ratio to value x ratio.
    `candidates_mape_percent` gives the error of every model that was tried.
    """

    record: Literal["fit"] = "fit"
    model: str
    networks: int
    bias_percent: float | None
    mape_percent: float | None
    within_5_percent: float | None
    within_10_percent: float | None
    spearman: float | None
    noise_floor_percent: float | None
    interval_ratio: float | None
    candidates_mape_percent: dict[str, float]

    @staticmethod
    def unverified(model: str) -> FitReport:
        """Return the report of a model that no whole network verified: its error is unknown."""
        return FitReport(
            model=model,
            networks=0,
            bias_percent=None,
            mape_percent=None,
            within_5_percent=None,
            within_10_percent=None,
            spearman=None,
            noise_floor_percent=None,
            interval_ratio=None,
            candidates_mape_percent={},
        )

    def sentence(self) -> str:
        """Say the error in one line, for printing beside a number."""
        if self.mape_percent is None:
            return "not verified: no whole network was measured, so the error is unknown"
        noise = "unknown" if self.noise_floor_percent is None else f"{self.noise_floor_percent:.1f} %"
        rank = "" if self.spearman is None else f", Spearman {self.spearman:.3f}"
        return (
            f"MAPE {self.mape_percent:.1f} % on {self.networks} held-out networks (repeat noise {noise}), "
            f"{self.within_5_percent:.0f} % within 5 %, {self.within_10_percent:.0f} % within 10 %{rank}"
        )
