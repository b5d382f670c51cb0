"""Shows a search in an experiment tracker while it goes on: MLflow, TensorBoard, Weights & Biases, or another's.

What is shown is decided here, and is the same everywhere: the settings; after each measurement what was spent, what
failed, and for a full validation its values, the hypervolume and the size of the front; at the end the front as text.
An adapter, one file of `trackers/`, only hands it over. A run folder keeps under which id each tracker knows it, so
that a search that goes on does so there too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..profilers.files import read_text_file
from ..profilers.journal import write_atomically
from ..search import Run, SearchConfig, SearchProgress
from ..search.errors import SearchError
from ..search.runs.files.folder import KEPT, writing
from ..search.runs.files.records import TRACKERS_FILE, first_line
from ..supernets.plugins import Registry, reason_of, unknown_as
from .errors import TrackingFailed

Setting = str | int | float | bool
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]  # adapters make names of folders of it


class KnownAs(BaseModel):
    """The content of `trackers.json`: the id of a run in each tracker, by the tracker's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_id: Literal["gnomon.trackers"] = Field(default="gnomon.trackers", alias="schema")
    version: Literal[1] = 1
    ids: dict[str, Id] = {}


class Tracker(Protocol):
    """A run that is open in a tracker."""

    @property
    def id(self) -> str:
        """What the tracker knows the run by: letters, digits, dots, hyphens."""

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Show values by name; steps ascend."""

    def close(self, front: str, *, is_over: bool) -> None:
        """Show the front as text, and close the run, which will go on unless it `is_over`."""


class Adapter(Protocol):
    """A module of `trackers/`, or what another package's entry point names."""

    MODULE: str  # the package to import

    def open_tracker(self, run: Path, settings: Mapping[str, Setting], known: str | None) -> Tracker:
        """Open the run of a folder under the id by which it is `known`, None for a new one."""
        ...


TRACKERS: Registry[Adapter] = Registry(
    "tracker", "reports/trackers", unknown_as(TrackingFailed), "gnomon.trackers", functions=("MODULE", "open_tracker")
)


def settings_of(config: SearchConfig) -> dict[str, Setting]:
    """Return the settings of a search that are set, several values of one as text."""
    found = config.model_dump(mode="json", exclude_none=True)
    return {
        name: value if isinstance(value, Setting) else ", ".join(map(str, value))
        for name, value in found.items()
        if not isinstance(value, Mapping) and value != []
    }


def values_of(seen: SearchProgress) -> dict[str, float]:
    """Return what is shown after a measurement."""
    run = seen.run
    values: dict[str, float] = {"cost": seen.spent, "failures": len(run.failures)}
    if seen.evaluation.is_full:
        values |= seen.evaluation.values
    if run.measured:
        values |= {"hypervolume": seen.hypervolume, "front": len(run.front_ids())}
    return values


class Tracking:
    """Shows a search in trackers: its `on_progress`, in a with statement.

    They are opened with the first measurement. One that fails later is given up, and `on_step` is told; the search
    goes on.
    """

    def __init__(self, names: Sequence[str], *, on_step: Callable[[str], None] = lambda step: None) -> None:
        """Import what trackers take; raises TrackingFailed for an unknown one, ModuleNotFoundError, PluginBroken."""
        self._adapters = {name: TRACKERS.load(name) for name in names}
        for adapter in self._adapters.values():
            import_module(adapter.MODULE)
        self._on_step = on_step
        self._open: dict[str, Tracker] = {}
        self._run: Run | None = None

    def __call__(self, seen: SearchProgress, /) -> None:
        """Show a measurement; raises TrackingFailed where a tracker cannot be opened, OutputUnusable."""
        if not self._adapters:
            return
        is_first, self._run = self._run is None, seen.run
        if is_first:
            self._begin(seen.run)
        values, step = values_of(seen), len(seen.run.evaluations)
        self._each(lambda tracker: tracker.log(values, step))

    def __enter__(self) -> Tracking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._run is not None:
            front = front_of(self._run)
            self._each(lambda tracker: tracker.close(front, is_over=kind is None))

    def _begin(self, run: Run) -> None:
        """Open all trackers, and write down under which ids."""
        known = known_in(run.folder)
        settings = {**settings_of(run.config), "precision": run.precision, "gnomon": run.header.versions["gnomon"]}
        for name, adapter in self._adapters.items():
            try:
                self._open[name] = adapter.open_tracker(run.folder, settings, known.ids.get(name))
            except Exception as error:  # whatever a tracker's client raises
                raise TrackingFailed(
                    f"cannot show the run in {run.folder} in {name}: {reason_of(error)}; see that it can be reached, "
                    "or search without it"
                ) from error
            known = KnownAs(ids={**known.ids, name: self._open[name].id})
            with writing(run.folder, KEPT):
                write_atomically(run.folder / TRACKERS_FILE, known.model_dump_json(indent=1, by_alias=True) + "\n")

    def _each(self, use: Callable[[Tracker], None]) -> None:
        """Do something with all open trackers; one that fails is open no more."""
        for name, tracker in tuple(self._open.items()):
            try:
                use(tracker)
            except Exception as error:  # the search is worth more than its picture
                del self._open[name]
                self._on_step(f"{name} is given up, and the search goes on: {reason_of(error)}")


def known_in(folder: Path) -> KnownAs:
    """Read under which ids trackers know a run; raises TrackingFailed."""
    path = folder / TRACKERS_FILE
    try:
        return KnownAs.model_validate_json(read_text_file(path))
    except FileNotFoundError:
        return KnownAs()
    except (OSError, ValueError) as error:
        said = first_line(error) if isinstance(error, ValidationError) else str(error)
        raise TrackingFailed(
            f"{path} does not say how trackers know the run: {said}; remove it, and they show the run anew"
        ) from error


def front_of(run: Run) -> str:
    """Return the front of a run as text, or why there is none."""
    try:
        return f"{run.line}\n{run.front()}"
    except SearchError as error:
        return f"{run.line}\n{error}"
