"""A timing plan: a folder that says what to time and how, and holds the models.

    PLAN/plan.json            backend, run configuration, timing policy, items
    PLAN/models/<sha256>.onnx one file a distinct model, named by its content

An item is one model, or a program: several models, each with how often it runs (`program.py`).

The folder is all a worker needs, so it can be copied to another machine. Plans may share models: then each is a file of
its own name beside them. Reading trusts nothing: names are checked, paths stay inside the folder, and every model must
have the content its name says.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterable, Mapping, Optional, Tuple, Union

from ..errors import PlanDamaged, PlanMismatch
from ..files import read_text_file
from ..journal import json_line, value_from_json, write_atomically
from ..run_config import RunConfig
from .application import Application
from .program_part import ProgramPart, check_part
from .protocol import TimingPolicy

if TYPE_CHECKING:
    import os

    PathLike = Union[str, "os.PathLike[str]"]

SCHEMA = "gnomon.plan"
# History of the plan format, newest first:
#   7  policy: settling_us
#   6  policy: processes, in place of repeated; network_visits
#   5  policy: repeated; application
#   4  policy: clean_blocks
#   3  an item may have parts (name, file, runs) instead of a file
#   2  policy: settle_s, keep_mib; many short visits
#   1  backend, config, policy, items (key, role, file)
SCHEMA_VERSION = 7

Model = Union[bytes, Tuple[ProgramPart, ...]]  # what is timed: one model as ONNX bytes, or a program

PLAN_FILE = "plan.json"
ROLES = ("layer", "network", "anchor")
MODEL_FILE = re.compile(r"models/[0-9a-f]{64}\.onnx")


@dataclass(frozen=True)
class PlanPart:
    """One model of a program: its name, its path inside the plan folder, and how often it runs."""

    name: str
    file: str
    runs: int

    def __post_init__(self) -> None:
        check_part(self.name, self.runs)
        _check_file(self.name, self.file)

    def to_json(self) -> Dict[str, Any]:
        """Return the fields as a JSON object."""
        return {"name": self.name, "file": self.file, "runs": self.runs}


@dataclass(frozen=True)
class PlanItem:
    """One model to time: ``file`` is its path inside the plan folder, with forward slashes.

    Or a program: then it has ``parts``, and ``file`` is empty.
    """

    key: str
    file: str
    role: str
    parts: Tuple[PlanPart, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not self.key:
            raise ValueError(f"key is {self.key!r}; expected a non-empty string")
        if self.role not in ROLES:
            raise ValueError(f"role of {self.key!r} is {self.role!r}; expected one of {', '.join(ROLES)}")
        if self.parts:
            names = [part.name for part in self.parts]
            if self.file or len(set(names)) < len(names):
                raise ValueError(
                    f"the program {self.key!r} has the parts {names} and the file {self.file!r}; "
                    f"expected parts of distinct names and no file"
                )
        else:
            _check_file(self.key, self.file)

    @property
    def files(self) -> Tuple[str, ...]:
        """The paths of its models, inside the plan folder."""
        return tuple(part.file for part in self.parts) or (self.file,)

    def to_json(self) -> Dict[str, Any]:
        """Return the fields as a JSON object."""
        if self.parts:
            return {"key": self.key, "role": self.role, "parts": [part.to_json() for part in self.parts]}
        return {"key": self.key, "role": self.role, "file": self.file}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PlanItem:
        """Return the item written by `to_json`; ValueError, KeyError or TypeError for anything else."""
        if "parts" not in data:
            return cls(key=data["key"], file=data["file"], role=data["role"])
        parts = tuple(PlanPart(name=part["name"], file=part["file"], runs=part["runs"]) for part in data["parts"])
        return cls(key=data["key"], file=data.get("file", ""), role=data["role"], parts=parts)


@dataclass(frozen=True)
class PlannedModel:
    """One model, or program, to put into a plan."""

    key: str
    role: str
    model: Model


@dataclass(frozen=True)
class TimingPlan:
    """What to time, with which backend, under which conditions and how precisely.

    application: whole networks are timed as an application sees them too; None: in the hot loop only.
    """

    backend: str
    config: RunConfig
    policy: TimingPolicy
    items: Tuple[PlanItem, ...]
    application: Optional[Application] = None

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
            "items": [item.to_json() for item in self.items],
            **({} if self.application is None else {"application": self.application.to_json()}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TimingPlan:
        """Return the plan written by `to_json`; ValueError, KeyError or TypeError for anything else."""
        if data["schema"] != SCHEMA or data["version"] != SCHEMA_VERSION:
            raise ValueError(
                f"expected {SCHEMA} version {SCHEMA_VERSION}, found {data['schema']} version {data['version']}. "
                f"Finish it with the Gnomon that wrote it, or remove the folder to measure anew"
            )
        return cls(
            backend=str(data["backend"]),
            config=RunConfig.from_json(data["config"]),
            policy=TimingPolicy.from_json(data["policy"]),
            items=tuple(PlanItem.from_json(item) for item in data["items"]),
            application=Application.from_json(data["application"]) if "application" in data else None,
        )


def write_plan(
    folder: PathLike,
    *,
    backend: str,
    config: RunConfig,
    policy: TimingPolicy,
    models: Iterable[PlannedModel],
    application: Optional[Application] = None,
) -> TimingPlan:
    """Write a plan folder and return the plan; equal models are stored once.

    ``models`` may be a generator; one model is held in memory at a time. Writing the same plan again changes nothing.
    Raises `PlanMismatch` if the folder holds another plan.
    """
    folder = Path(folder)
    (folder / "models").mkdir(parents=True, exist_ok=True)
    items = tuple(_stored(folder, model) for model in models)
    plan = TimingPlan(backend, config, policy, items, application)
    store_plan(folder / PLAN_FILE, plan)
    return plan


def store_plan(path: Path, plan: TimingPlan) -> None:
    """Write a plan whose models lie beside ``path``; if that plan is there already, nothing changes.

    Raises `PlanMismatch` if another one is.
    """
    if not path.exists():
        write_atomically(path, json.dumps(plan.to_json(), indent=1, sort_keys=True, allow_nan=False) + "\n")
        return
    existing = _parsed(path)
    if existing.digest != plan.digest:
        raise PlanMismatch(
            f"{path.parent} already holds another plan ({existing.digest[:12]}, not {plan.digest[:12]}); "
            f"choose another folder, or remove this one"
        )


def path_of_plan(place: PathLike) -> Path:
    """Return the file of the plan at ``place``: a plan folder, or a plan's file among the models it shares."""
    place = Path(place)
    return place / PLAN_FILE if place.is_dir() else place


def read_plan(place: PathLike) -> TimingPlan:
    """Return the plan at ``place``, a folder or a plan's file, after checking it and the content of every model.

    Raises `PlanDamaged` for anything missing, altered, outside the folder or of another version. Reads all models.
    """
    path = path_of_plan(place)
    plan, folder = _parsed(path), path.parent
    root = folder.resolve()
    for file in sorted({file for item in plan.items for file in item.files}):
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
    if isinstance(model.model, bytes):
        return PlanItem(model.key, _stored_file(folder, model.model), model.role)
    parts = tuple(PlanPart(part.name, _stored_file(folder, part.model), part.runs) for part in model.model)
    return PlanItem(model.key, "", model.role, parts)


def _stored_file(folder: Path, model: bytes) -> str:
    file = f"models/{hashlib.sha256(model).hexdigest()}.onnx"
    if not (folder / file).exists():
        write_atomically(folder / file, model)
    return file


def _check_file(name: str, file: object) -> None:
    if not isinstance(file, str) or not MODEL_FILE.fullmatch(file):
        raise ValueError(f"file of {name!r} is {file!r}; expected models/<sha256>.onnx")


def _parsed(path: Path) -> TimingPlan:
    try:
        return TimingPlan.from_json(value_from_json(read_text_file(path)))
    except FileNotFoundError as exc:
        raise PlanDamaged(f"{path} does not exist; expected a folder written by write_plan") from exc
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise PlanDamaged(f"{path} is not a usable timing plan: {exc}") from exc
