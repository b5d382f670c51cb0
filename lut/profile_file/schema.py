"""The hardware-profile file: JSON Lines, one record a line, validated on reading.

The file holds evidence (block times), not estimators: latency models are refitted from it in milliseconds. Its `fit`
record repeats what the refit says, so that a reader of the file and of its diffs sees the verified error.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from ...profilers.run_config import RunConfig
from ..latency_model.fit_report import FitReport
from ..record import Record

SCHEMA = "gnomon.profile"
# History of the profile format, newest first:
#   6  a checksum in every line
#   5  header: refreshed
#   4  layer, network: probe_us, switches; anchor: clean; header: contention
#   3  header: weight_bits
#   2  header: source, session_starts_s; layer, network: at_s; prior; the fit of an unverified profile has nulls
#   1  header, layer, network, anchor, failure, fit
SCHEMA_VERSION, FIRST_WITH_CHECKSUMS, FIRST_WITH_CLOCK = 6, 6, 6
READABLE_VERSIONS = (1, 2, 3, 4, 5, 6)

ANCHOR = "anchor:"  # begins an anchor's key; the key of the layer that serves as anchor follows

SHORTEST_US, LONGEST_US = 1e-6, 1e12  # a picosecond and eleven days: no inference takes less or more
LONGEST_S = 1e10  # nothing was measured for three hundred years
MOST = 2**53  # whole numbers up to it are exact as floats too

Microseconds = Annotated[float, Field(strict=True, ge=SHORTEST_US, le=LONGEST_US)]
Seconds = Annotated[float, Field(strict=True, ge=0, le=LONGEST_S)]
Count = Annotated[int, Field(strict=True, ge=0, le=MOST)]
Positive = Annotated[int, Field(strict=True, ge=1, le=MOST)]
Genes = Annotated[tuple[Annotated[int, Field(strict=True, ge=0, lt=2**31)], ...], Field(min_length=1)]
Blocks = Annotated[tuple[Annotated[tuple[Microseconds, ...], Field(min_length=1)], ...], Field(min_length=1)]
Readings = tuple[tuple[Microseconds, ...], ...]
Factor = Annotated[float, Field(strict=True, gt=0, le=1e6)]
Counts = tuple[tuple[Count, ...], ...]


class ProfileConfig(Record):
    """Under which conditions everything was timed."""

    device: str
    precision: str
    threads: Positive
    batch: Positive

    @model_validator(mode="after")
    def require_runnable(self) -> ProfileConfig:
        """Refuse what nothing can be run under."""
        RunConfig(self.device, self.precision, self.threads, self.batch)
        return self


class ProfileSource(Record):
    """Where the layers' latencies come from: measured here, imported from a table, or transferred from a profile."""

    kind: Literal["measured", "imported", "transferred"] = "measured"
    name: str = ""
    sha256: str = ""


class ProfileContention(Record):
    """How busy the core was while the profile was measured; the fields as of `ContentionSummary`.

    `disturbed_layers` were never seen undisturbed often enough: their latencies are corrected ones.
    """

    time_share: float = Field(ge=0, le=1)
    slow_down: float = Field(gt=0)
    spell_ms: float = Field(ge=0)
    disturbed_layers: Count


class ProfileRefresh(Record):
    """By what factor the times of a profile were rescaled, because the device had moved as a whole.

    name, sha256: the profile that it was made of. created: when the device was timed again. factor: what every raw time
    of this file is multiplied by on reading, over all refreshes. ratio: this refresh alone, in which the device took so
    many times as long, with its 90 % interval, by so many layers and networks in so many processes.
    """

    name: str
    sha256: str
    created: str
    factor: Factor
    ratio: Factor
    low: Factor
    high: Factor
    models: Positive
    processes: Positive

    @property
    def log_ratio(self) -> float:
        """The half width of the interval, as a log ratio."""
        return math.log(self.high / self.low) / 2


class ProfileHeader(Record):
    """What was measured, on what, with what; every field can change a time.

    `options` are the runtime's, read back after compilation; `seconds` is what measuring cost, compilation included.
    `session_starts_s` says when each session began, on one clock that counts worker time over all sessions.
    `weight_bits` are those of the weights of int8 models, 8 or 7; None at another precision, and before version 3.
    `contention` is None where no probe told, and before version 4. `refreshed`: the raw times are of then, and are
    rescaled on reading; None where they are as measured.
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
    sessions: Positive
    session_starts_s: dict[str, Seconds] = Field(default_factory=dict)
    seconds: Seconds
    source: ProfileSource = ProfileSource()
    weight_bits: Annotated[int, Field(ge=7, le=8)] | None = None
    contention: ProfileContention | None = None
    refreshed: ProfileRefresh | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @property
    def has_clock(self) -> bool:
        """Whether clean blocks are taken at the core's clock: on a CPU, from the version on whose anchors are so."""
        return self.config.device == "cpu" and self.version >= FIRST_WITH_CLOCK

    @property
    def runtime_version(self) -> str:
        """The version of the runtime behind the backend, or behind its variant; empty where it is not known."""
        runtime = self.backend.partition(":")[0]
        return self.versions.get(self.backend, self.versions.get(runtime, ""))


class LayerRecord(Record):
    """A layer's block times: `block_us[v][b]` is microseconds per inference in block b of visit v.

    `at_s[v]` is when that visit ended, on the header's clock; empty where it is not known.
    `probe_us[v]` are the probe's readings around the blocks of that visit, one more than blocks, and `switches[v]` the
    involuntary context switches in each; both empty where there was no probe.
    """

    record: Literal["layer"] = "layer"
    key: str
    loops: Positive
    block_us: Blocks
    at_s: tuple[Seconds, ...] = ()
    probe_us: Readings = ()
    switches: Counts = ()


class NetworkRecord(Record):
    """A whole sub-network's block times; `indices` are its genes."""

    record: Literal["network"] = "network"
    id: str
    indices: Genes
    loops: Positive
    block_us: Blocks
    at_s: tuple[Seconds, ...] = ()
    probe_us: Readings = ()
    switches: Counts = ()


class AnchorRecord(Record):
    """One visit to the anchor model: how fast the machine was then; `clean` as of `profilers.Anchor`."""

    record: Literal["anchor"] = "anchor"
    key: str
    session: str
    t_s: Seconds
    value_us: Microseconds
    clean: bool | None = None


class PriorRecord(Record):
    """A layer's latency in the profile that this one was transferred from."""

    record: Literal["prior"] = "prior"
    key: str
    value_us: Microseconds


class FailureRecord(Record):
    """A model that could not be timed, and why."""

    record: Literal["failure"] = "failure"
    key: str
    reason: str


AnyRecord = Annotated[
    ProfileHeader | LayerRecord | NetworkRecord | AnchorRecord | PriorRecord | FailureRecord | FitReport,
    Field(discriminator="record"),
]
