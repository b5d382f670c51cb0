"""The kernel-profile file: JSON Lines, one record a line, validated on reading; evidence only, no estimator.

Block times are those of a kernel's model, which may run the kernel several times (`copies`) so that the call of the
runtime does not count for most; the call alone is a record of its own.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from ...profile_file.schema import (
    AnchorRecord,
    Count,
    FailureRecord,
    LayerRecord,
    Positive,
    ProfileConfig,
    ProfileContention,
    ProfileSource,
    Seconds,
)
from ...record import Record

SCHEMA = "gnomon.kernels"
# History of the kernel-profile format, newest first:
#   2  a checksum in every line
#   1  header, call, kernel, model, source, anchor, failure, end
SCHEMA_VERSION, FIRST_WITH_CHECKSUMS = 2, 2
READABLE_VERSIONS = (1, 2)

Quantity = Annotated[float, Field(ge=0, le=1e18)]


class KernelHeader(Record):
    """On what, with what and when everything was measured; fields as of a hardware profile's header."""

    record: Literal["header"] = "header"
    schema_id: str = Field(default=SCHEMA, alias="schema")
    version: int = SCHEMA_VERSION
    gnomon: str
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
    session_starts_s: dict[str, Seconds]
    seconds: Seconds
    contention: ProfileContention | None = None
    source: ProfileSource | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class CallRecord(Record):
    """The model that does next to nothing: what a call of the runtime takes."""

    record: Literal["call"] = "call"
    timed: LayerRecord


class KernelRecord(Record):
    """A kernel's key, quantities (`cost.py`) and block times; `timed.key` is the digest of its key."""

    record: Literal["kernel"] = "kernel"
    key: Annotated[str, Field(min_length=1)]
    operator: str
    copies: Positive
    cost: dict[str, Quantity]
    timed: LayerRecord


class ModelRecord(Record):
    """A whole model: how often each kernel runs in it, by digest of its key, and block times."""

    record: Literal["model"] = "model"
    name: str
    calls: dict[str, Positive]
    added: dict[str, Count]
    timed: LayerRecord


class SourceRecord(Record):
    """A kernel as another device's profile has it, from which kernels that were not measured here are scaled."""

    record: Literal["source"] = "source"
    key: Annotated[str, Field(min_length=1)]
    operator: str
    cost: dict[str, Quantity]
    value_us: Annotated[float, Field(gt=0, le=1e12)]


class EndRecord(Record):
    """The last line: how many kernels and models the file holds, so that a cut one is noticed."""

    record: Literal["end"] = "end"
    kernels: Count
    models: Count


AnyKernelRecord = Annotated[
    KernelHeader | CallRecord | KernelRecord | ModelRecord | SourceRecord | AnchorRecord | FailureRecord | EndRecord,
    Field(discriminator="record"),
]
