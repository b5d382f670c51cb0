"""What the values of a run depend on besides its settings: profiles, weights, data, another run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer

from ...supernets.precision import FP32
from ..errors import InvalidConfig

if TYPE_CHECKING:
    from ...lut import HardwareProfile

LATENCY = "latency"


class Source(BaseModel):
    """A hardware profile that latencies come from; what a file says of it besides is kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    sha256: str

    @classmethod
    def of(cls, profile: HardwareProfile) -> Source:
        """Return what a run keeps of a profile."""
        return Source(name=profile.name, sha256=profile.digest)


class Deployment(Source):
    """How a network is run: runtime, precision, threads; and the profile that says how fast that is."""

    backend: str
    precision: str
    threads: int

    @classmethod
    def of(cls, profile: HardwareProfile) -> Deployment:
        """Return the deployment that a profile is of."""
        config = profile.header.config
        return Deployment(
            name=profile.name,
            sha256=profile.digest,
            backend=profile.header.backend,
            precision=config.precision,
            threads=config.threads,
        )

    @property
    def label(self) -> str:
        """The deployment in a table, such as `openvino int8 t2`."""
        return f"{self.backend} {self.precision} t{self.threads}"

    def as_json(self) -> dict[str, Any]:
        """Return it as the record of an exported model holds it."""
        return {
            "backend": self.backend,
            "precision": self.precision,
            "threads": self.threads,
            "profile": self.name,
            "sha256": self.sha256,
        }


class Provenance(BaseModel):
    """What the values of a run depend on; what is not said is not written, and what else a file says is kept.

    `profile` is that of plain `latency`, `profiles` those of latency@NAME by name, `deployments` those of one device;
    `left_out` are labels of deployments whose precision could gain nothing. `precision` is what networks are validated
    in where it is no choice; `weight_bits` are those of int8 weights. `data` is the folder of a full data set;
    `examples_sha256` is the digest of the examples that it validates on, by their labels in order.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    profile: Source | None = None
    profiles: dict[str, Source] = {}
    deployments: tuple[Deployment, ...] = ()
    weight_bits: int | None = None
    precision: str = FP32
    left_out: tuple[str, ...] = ()
    checkpoint_sha256: str | None = None
    data: str | None = None
    examples_sha256: str | None = None
    start_sha256: str | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any] | Provenance) -> Provenance:
        """Return what a caller says as provenance; raises InvalidConfig."""
        try:
            return given if isinstance(given, Provenance) else cls.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(("provenance", *map(str, first["loc"])))
            raise InvalidConfig(f"{where}={first['input']!r}: {first['msg']}", field="provenance") from error

    def having(self, **said: Any) -> Provenance:
        """Return the same with what is said; raises InvalidConfig."""
        return Provenance.read(self.model_dump() | said)

    @property
    def sources(self) -> dict[str, Source]:
        """The profile that each latency came from, by objective; none where networks run in several deployments."""
        plain = {} if self.profile is None else {LATENCY: self.profile}
        return plain | {f"{LATENCY}@{name}": source for name, source in self.profiles.items()}

    @model_serializer(mode="wrap")
    def as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return what is said, without what is not."""
        return {name: value for name, value in handler(self).items() if name in self.model_fields_set}
