"""What a report is about: profiles and runs, and the profiles that the runs were searched with, found by their sha256.

A run keeps name and sha256 of its profiles. The file is looked for beside the run, in the working folder and among
the shipped profiles; only one of that sha256 counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....errors import GnomonError
from ....inputs import fault_of_file, fault_of_folder
from ....lut import HardwareProfile, load_profile, shipped_profiles
from ....lut.profile_file.store import SUFFIX
from ....search import Run, load_run
from ....search.deployments.provenance import Source
from ....search.errors import RunMismatch
from ....search.final.front import FinalFront, load_final
from ...errors import ReportRefused

Subject = HardwareProfile | Run | str | Path


@dataclass(frozen=True)
class RunSubject:
    """A run, its final front if it has one, the profiles of its latencies, and what of these was not found."""

    run: Run
    final: FinalFront | None
    profiles: tuple[HardwareProfile, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subjects:
    """What a report is about; `profiles` are those that runs were searched with, then the others that were `given`."""

    profiles: tuple[HardwareProfile, ...]
    given: tuple[HardwareProfile, ...]
    runs: tuple[RunSubject, ...]


def opened(subjects: Sequence[Subject]) -> Subjects:
    """Open files, names of shipped profiles and run folders; raises ReportRefused for none, and as readers do."""
    if not subjects:
        raise ReportRefused("a report needs at least one profile or run folder")
    values = [subject if isinstance(subject, (HardwareProfile, Run)) else read(subject) for subject in subjects]
    given = unique(value for value in values if isinstance(value, HardwareProfile))
    runs = tuple(with_profiles(value, given) for value in values if isinstance(value, Run))
    return Subjects(unique((*(profile for run in runs for profile in run.profiles), *given)), given, runs)


def read(source: str | Path) -> HardwareProfile | Run:
    """Read a run folder, or else a profile; raises what `load_run` and `load_profile` raise."""
    path = Path(source)
    return load_run(path) if not fault_of_folder(path) and (path / "run.json").exists() else load_profile(source)


def unique(profiles: Iterable[HardwareProfile]) -> tuple[HardwareProfile, ...]:
    """Return profiles without repeats."""
    return tuple({profile.digest: profile for profile in profiles}.values())


def with_profiles(run: Run, given: Sequence[HardwareProfile]) -> RunSubject:
    """Find a run's profiles and its final front."""
    provenance = run.header.provenance
    wanted = {source.sha256: source for source in (*provenance.sources.values(), *provenance.deployments)}
    known = {profile.digest: profile for profile in given}
    found, missing = [], []
    for digest, source in wanted.items():
        profile = known.get(digest) or searched_for(source, run.folder)
        if profile is None:
            missing.append(f"{source.name} (sha256 {digest[:12]})")
        else:
            found.append(profile)
    try:
        final, notes = load_final(run) if run.evaluations else None, ()
    except RunMismatch as error:
        return RunSubject(run, None, tuple(found), tuple(missing), (str(error),))
    return RunSubject(run, final, tuple(found), tuple(missing), notes)


def searched_for(source: Source, folder: Path) -> HardwareProfile | None:
    """Return the profile of a sha256, by its name, from the folders where it may lie and among the shipped ones."""
    file = f"{source.name}{SUFFIX}"
    near = [str(place / file) for place in (folder, folder.parent, Path()) if Path(file).name == file]
    shipped = [name for name in shipped_profiles() if name.rpartition("/")[2] == source.name]
    for candidate in [path for path in near if not fault_of_file(path)] + shipped:
        try:
            profile = load_profile(candidate)
        except GnomonError:
            continue  # a file of that name that is no profile is not the one
        if profile.digest == source.sha256:
            return profile
    return None
