"""A timing plan: a folder that says what to time and how, and holds the models.

    PLAN/plan.json            backend, run configuration, timing policy, items
    PLAN/models/<sha256>.onnx one file a distinct model, named by its content

The folder is all a worker needs, so it can be copied to another machine. Reading trusts nothing: names are checked,
paths stay inside the folder, and every model must have the content its name says.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterable, Mapping, Tuple, Union

from .backend import RunConfig
from .errors import PlanDamaged, PlanMismatch
from .journal import json_line, write_atomically
from .timing import TimingPolicy

if TYPE_CHECKING:
    import os

    PathLike = Union[str, "os.PathLike[str]"]

SCHEMA = "gnomon.plan"
# History of the plan format, newest first:
#   2  policy: settle_s, keep_mib; many short visits
#   1  backend, config, policy, items (key, role, file)
SCHEMA_VERSION = 2

ROLES = ("layer", "network", "anchor")
MODEL_FILE = re.compile(r"models/[0-9a-f]{64}\.onnx")


@dataclass(frozen=True)
class PlanItem:
    """One model to time: ``file`` is its path inside the plan folder, with forward slashes."""

    key: str
    file: str
    role: str

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not self.key:
            raise ValueError(f"key is {self.key!r}; expected a non-empty string")
        if self.role not in ROLES:
            raise ValueError(f"role of {self.key!r} is {self.role!r}; expected one of {', '.join(ROLES)}")
        if not isinstance(self.file, str) or not MODEL_FILE.fullmatch(self.file):
            raise ValueError(f"file of {self.key!r} is {self.file!r}; expected models/<sha256>.onnx")


@dataclass(frozen=True)
class PlannedModel:
    """One model to put into a plan, as ONNX bytes."""

    key: str
    role: str
    model: bytes


@dataclass(frozen=True)
class TimingPlan:
    """What to time, with which backend, under which conditions and how precisely."""

    backend: str
    config: RunConfig
    policy: TimingPolicy
    items: Tuple[PlanItem, ...]

    def __post_init__(self) -> None:
        if not any(item.role != "anchor" for item in self.items):
            raise ValueError("a plan needs at least one layer or network to time")
        seen: Dict[str, int] = {}
        for item in self.items:
            seen[item.key] = seen.get(item.key, 0) + 1
        twice = sorted(key for key, count in seen.items() if count > 1)
        if twice:
            raise ValueError(f"keys occur more than once in the plan: {', '.join(twice[:5])}")

    @property
    def digest(self) -> str:
        """The SHA-256 of everything the plan says, models included (through their file names)."""
        return hashlib.sha256(json_line(self.to_json()).encode("utf-8")).hexdigest()

    def to_json(self) -> Dict[str, Any]:
        """Return the content of ``plan.json``."""
        return {
            "schema": SCHEMA,
            "version": SCHEMA_VERSION,
            "backend": self.backend,
            "config": self.config.to_json(),
            "policy": self.policy.to_json(),
            "items": [{"key": item.key, "role": item.role, "file": item.file} for item in self.items],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TimingPlan:
        """Return the plan written by `to_json`; ValueError, KeyError or TypeError for anything else."""
        if data["schema"] != SCHEMA or data["version"] != SCHEMA_VERSION:
            raise ValueError(
                f"expected {SCHEMA} version {SCHEMA_VERSION}, found {data['schema']} version {data['version']}"
            )
        return cls(
            backend=str(data["backend"]),
            config=RunConfig.from_json(data["config"]),
            policy=TimingPolicy.from_json(data["policy"]),
            items=tuple(PlanItem(key=item["key"], file=item["file"], role=item["role"]) for item in data["items"]),
        )


def write_plan(
    folder: PathLike,
    *,
    backend: str,
    config: RunConfig,
    policy: TimingPolicy,
    models: Iterable[PlannedModel],
) -> TimingPlan:
    """Write a plan folder and return the plan; equal models are stored once.

    ``models`` may be a generator; one model is held in memory at a time. Writing the same plan again changes nothing.
    Raises `PlanMismatch` if the folder holds another plan.
    """
    folder = Path(folder)
    (folder / "models").mkdir(parents=True, exist_ok=True)
    items = tuple(_stored(folder, model) for model in models)
    plan = TimingPlan(backend, config, policy, items)
    path = folder / "plan.json"
    if path.exists():
        existing = _parsed(path)
        if existing.digest != plan.digest:
            raise PlanMismatch(
                f"{folder} already holds another plan ({existing.digest[:12]}, not {plan.digest[:12]}); "
                f"choose another folder, or remove this one"
            )
        return plan
    write_atomically(path, json.dumps(plan.to_json(), indent=1, sort_keys=True, allow_nan=False) + "\n")
    return plan


def read_plan(folder: PathLike) -> TimingPlan:
    """Return the plan in ``folder`` after checking it and the content of every model.

    Raises `PlanDamaged` for anything missing, altered, outside the folder or of another version. Reads all models.
    """
    folder = Path(folder)
    plan = _parsed(folder / "plan.json")
    root = folder.resolve()
    for file in sorted({item.file for item in plan.items}):
        path = folder / file
        if root not in path.resolve().parents:
            raise PlanDamaged(f"{path} leads out of the plan folder; expected a plain file inside it")
        if not path.is_file():
            raise PlanDamaged(f"{path} is missing; copy the whole plan folder again")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != path.stem:
            raise PlanDamaged(f"{path} has the SHA-256 {digest}; expected the one it is named after. Copy it again")
    return plan


def _stored(folder: Path, model: PlannedModel) -> PlanItem:
    file = f"models/{hashlib.sha256(model.model).hexdigest()}.onnx"
    item = PlanItem(model.key, file, model.role)
    if not (folder / file).exists():
        write_atomically(folder / file, model.model)
    return item


def _parsed(path: Path) -> TimingPlan:
    try:
        return TimingPlan.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as exc:
        raise PlanDamaged(f"{path} does not exist; expected a folder written by write_plan") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise PlanDamaged(f"{path} is not a usable timing plan: {exc}") from exc
