"""The hardware-profile file: JSON Lines, one record a line, validated on reading.

The file holds evidence (block times), not estimators: latency models are refitted from it in milliseconds. Its `fit`
record repeats what the refit says, so that a reader of the file and of its diffs sees the verified error.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = "gnomon.profile"
# History of the profile format, newest first:
#   1  header, layer, network, anchor, failure, fit
SCHEMA_VERSION = 1

ANCHOR = "anchor:"  # begins an anchor's key; the key of the layer that serves as anchor follows

Microseconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Blocks = Annotated[tuple[Annotated[tuple[Microseconds, ...], Field(min_length=1)], ...], Field(min_length=1)]


class Record(BaseModel):
    """A line of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProfileConfig(Record):
    """Under which conditions everything was timed."""

    device: str
    precision: str
    threads: int = Field(ge=1)
    batch: int = Field(ge=1)


class ProfileHeader(Record):
    """What was measured, on what, with what; every field can change a time.

    `options` are the runtime's, read back after compilation; `seconds` is what measuring cost, compilation included.
    """

    record: Literal["header"] = "header"
    schema_id: str = Field(default=SCHEMA, alias="schema")
    version: int = SCHEMA_VERSION
    gnomon: str
    space: str
    space_digest: str
    backend: str
    config: ProfileConfig
    versions: dict[str, str]
    options: dict[str, Any]
    device: str
    hardware: dict[str, Any]
    policy: dict[str, Any]
    plan: str
    created: str
    sessions: int = Field(ge=1)
    seconds: float = Field(ge=0)

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class LayerRecord(Record):
    """A layer's block times: `block_us[v][b]` is microseconds per inference in block b of visit v."""

    record: Literal["layer"] = "layer"
    key: str
    loops: int = Field(ge=1)
    block_us: Blocks


class NetworkRecord(Record):
    """A whole sub-network's block times; `indices` are its genes."""

    record: Literal["network"] = "network"
    id: str
    indices: tuple[int, ...]
    loops: int = Field(ge=1)
    block_us: Blocks


class AnchorRecord(Record):
    """One visit to the anchor model: how fast the machine was then."""

    record: Literal["anchor"] = "anchor"
    key: str
    session: str
    t_s: float
    value_us: Microseconds


class FailureRecord(Record):
    """A model that could not be timed, and why."""

    record: Literal["failure"] = "failure"
    key: str
    reason: str


class FitReport(Record):
    """The verified error of the latency model that was chosen, from networks it had not seen.

    Percentages are of the measured latency. `interval_ratio` is the factor of the 90 % prediction interval: from
    value / ratio to value x ratio. `candidates_mape_percent` gives the error of every model that was tried.
    """

    record: Literal["fit"] = "fit"
    model: str
    networks: int
    bias_percent: float
    mape_percent: float
    within_5_percent: float
    within_10_percent: float
    spearman: float | None
    noise_floor_percent: float | None
    interval_ratio: float
    candidates_mape_percent: dict[str, float]

    def sentence(self) -> str:
        """Say the error in one line, for printing beside a number."""
        noise = "unknown" if self.noise_floor_percent is None else f"{self.noise_floor_percent:.1f} %"
        rank = "" if self.spearman is None else f", Spearman {self.spearman:.3f}"
        return (
            f"MAPE {self.mape_percent:.1f} % on {self.networks} held-out networks (repeat noise {noise}), "
            f"{self.within_5_percent:.0f} % within 5 %, {self.within_10_percent:.0f} % within 10 %{rank}"
        )


AnyRecord = Annotated[
    ProfileHeader | LayerRecord | NetworkRecord | AnchorRecord | FailureRecord | FitReport,
    Field(discriminator="record"),
]
