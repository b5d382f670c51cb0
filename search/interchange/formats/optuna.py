"""A study of Optuna, in an SQLite file (.db) or a journal file (.log): for its dashboard, samplers and analyses.

Every full evaluation is a trial whose parameters are the genes, categorical, by option value; the run's constraints
travel as violations, so that Optuna's best trials are the run's front. A failed evaluation is a failed trial. An
evaluation on a share of the images has values that do not compare with the others' and is left out.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ....profilers.files import read_file
from ....profilers.journal import write_atomically
from ....supernets.space.space import Architecture, SearchSpace
from ....temporary import temporary_folder
from ...runs.files.records import Evaluation
from ...runs.run import Run

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

SUFFIXES = (".db", ".sqlite3", ".log")

JOURNAL_SUFFIX = ".log"
ALL_FROM_HERE = """
    SELECT (SELECT COUNT(*) FROM studies),
           (SELECT COUNT(*) FROM study_user_attributes WHERE "key" = 'gnomon'),
           (SELECT COUNT(*) FROM trials WHERE trial_id NOT IN
               (SELECT trial_id FROM trial_user_attributes WHERE "key" = 'gnomon_id'))
"""


def write(run: Run, path: Path) -> int:
    """Write a study named after the run folder, and return how many evaluations were left out.

    Raises ModuleNotFoundError without optuna.
    """
    import optuna

    run.front_ids()  # an empty run is refused before anything is built
    space = run.space()
    counting = {e.order for e in run.counted}
    kept = [e for e in run.evaluations if not e.is_partial or e.order in counting]
    with temporary_folder() as folder:
        fresh = folder / "study"
        with quiet(), storage_at(fresh, is_journal=path.suffix.lower() == JOURNAL_SUFFIX) as storage:
            directions = ["maximize" if o.direction == "max" else "minimize" for o in run.objectives]
            name = run.folder.resolve().name or "run"
            study = optuna.create_study(storage=storage, study_name=name, directions=directions)
            study.set_metric_names([o.head for o in run.objectives])
            study.set_user_attr("gnomon", run.header.model_dump(mode="json", by_alias=True))
            study.add_trials([trial_of(e, run, space) for e in kept])
        write_atomically(path, fresh.read_bytes())
    return len(run.evaluations) - len(kept)


def is_ours(path: Path) -> bool:
    """Tell whether `write` wrote it and nobody added to it since: no other study, and no trial of another's."""
    if path.suffix.lower() == JOURNAL_SUFFIX:
        return all_from_here(read_file(path).splitlines())
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return bool(database.execute(ALL_FROM_HERE).fetchone() == (1, 1, 0))
    except sqlite3.Error:
        return False


def all_from_here(lines: Sequence[bytes]) -> bool:
    """Tell whether the lines of a journal make one study, ours, and only trials that are evaluations."""
    try:
        made = [json.loads(line) for line in lines]
        studies = [line for line in made if line["op_code"] == 0]
        marked = [line for line in made if line["op_code"] == 2 and "gnomon" in line["user_attr"]]
        others = [line for line in made if line["op_code"] > 3 and "gnomon_id" not in line.get("user_attrs", ())]
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return (len(studies), len(marked), len(others)) == (1, 1, 0)


def trial_of(evaluation: Evaluation, run: Run, space: SearchSpace) -> FrozenTrial:
    """Return an evaluation as a trial; its user attributes say which it is."""
    import optuna

    options = {choice.name: list(choice.options) for choice in space.choices}
    failed = evaluation.failed
    attributes: dict[str, Any] = {
        "gnomon_id": evaluation.id,
        "gnomon_indices": list(evaluation.indices),
        "gnomon_order": evaluation.order,
        "gnomon_round": evaluation.round,
        "gnomon_seconds": evaluation.seconds,
        **{f"gnomon_{one.name}": evaluation.values[one.name] for one in run.watched if one.name in evaluation.values},
    }
    if evaluation.deployment is not None:
        attributes["gnomon_deployment"] = run.header.provenance.deployments[evaluation.deployment].label
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
        values=None if failed else [evaluation.values[o.name] for o in run.objectives],
        params=space.values(Architecture(space.name, evaluation.indices)),
        distributions={name: optuna.distributions.CategoricalDistribution(found) for name, found in options.items()},
        user_attrs=attributes | ({"gnomon_failed": failed} if failed else {}),
        system_attrs={} if failed else violations_of(evaluation, run),
    )


def violations_of(evaluation: Evaluation, run: Run) -> dict[str, list[float]]:
    """Return by how much each constraint is missed, under the name that Optuna keeps it; nothing without any."""
    values = {name: np.array([value]) for name, value in evaluation.values.items()}
    missed = [float(c.excess(values[c.objective])[0]) for c in run.problem.constraints]
    return {"constraints": missed} if missed else {}


@contextmanager
def storage_at(path: Path, *, is_journal: bool) -> Iterator[BaseStorage]:
    """Open a new storage in a file, and let go of the file at the end."""
    import optuna

    if is_journal:
        yield optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
        return
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from announcing the study, and its experimental corners from warning."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
