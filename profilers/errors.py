"""Everything that can go wrong while timing, as one tree.

    ProfilerError
    ├── BackendError
    │   ├── UnknownBackend        no backend of that name
    │   ├── BackendUnavailable    the backend's runtime, or its device, is not there
    │   │   ├── RuntimeTooOld     it is, but of a version that cannot run the models
    │   │   └── BackendUnusable   it is, but when asked it does not work on this machine
    │   ├── BackendBroken         the backend's own code fails when it is opened, as a broken plug-in's
    │   ├── VersionMissing        a backend does not say which version of its runtime it is
    │   ├── RuntimeConflict       another runtime in this process excludes it
    │   ├── UnsupportedConfig     the backend cannot honour the run configuration
    │   ├── OperatorsUnavailable  the backend cannot profile operators
    │   ├── GraphUnavailable      the backend does not tell which kernels it makes of a model
    │   ├── BuildsUnavailable     the backend builds nothing ahead of time, or not for that target
    │   ├── ModelRejected         the runtime cannot load or run this model
    │   ├── FallbackRefused       the runtime would run it elsewhere than asked
    │   └── GpuError              a call of the GPU's library failed
    │       └── GpuLost           so that only a new process can use the GPU again
    ├── PlanError
    │   ├── PlanDamaged           a plan folder is incomplete, altered or of another version
    │   ├── BundleDamaged         a bundle's file is no bundle, incomplete, altered or dangerous to unpack
    │   └── PlanMismatch          results or a folder belong to another plan
    ├── CounterUnavailable        energy or memory is not counted here, or may not be read
    ├── EnvironmentChanged        a run would go on with another runtime, configuration of it, or machine
    ├── JournalDamaged            a line of a journal is damaged, and not just torn
    ├── ResultsLocked             another worker writes the same results
    ├── ResultsUnwritable         the results cannot be written: no space left, say
    ├── DeviceError
    │   ├── AddressInvalid        no device has an address like that
    │   ├── DeviceUnreachable     no line to the device, or it dropped
    │   ├── DeviceBusy            it is measuring another plan
    │   └── DeviceUnfit           it lacks what a plan needs: Python, numpy, room
    └── WorkerCrashed             the worker process died and restarting did not help

Every error is built from its message alone, so that one raised in a worker can be raised again in the parent;
what a caller may want to act on is carried as attributes.
"""

from __future__ import annotations

import difflib
import errno
from typing import Any, Iterable, Iterator, Tuple, Type

try:
    from ..errors import GnomonError
except ImportError:  # on a device this package is alone
    GnomonError = Exception  # type: ignore[assignment, misc]


class ProfilerError(GnomonError):
    """Base of every error this package raises on purpose."""


class BackendError(ProfilerError):
    """A backend cannot do what was asked."""


class UnknownBackend(BackendError):
    """No backend has that name; ``known`` lists those that exist."""

    def __init__(self, message: str, *, known: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.known = tuple(known)

    @classmethod
    def named(cls, name: str, known: Iterable[str]) -> UnknownBackend:
        """Build the error for ``name``, with the closest known name as a suggestion."""
        known = tuple(known)
        closest = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {closest[0]!r}?" if closest else ""
        return cls(f"No backend is called {name!r}; known are: {', '.join(known)}.{hint}", known=known)


class BackendUnavailable(BackendError):
    """The backend's runtime is not installed, or its device is absent; ``install_command`` installs what is missing."""

    of_no_architecture = True

    def __init__(self, message: str, *, install_command: str = "") -> None:
        super().__init__(message)
        self.install_command = install_command

    @classmethod
    def missing(cls, name: str, install_command: str, cause: BaseException) -> BackendUnavailable:
        """Build the error for a runtime whose import failed with ``cause``."""
        return cls(
            f"The backend {name!r} needs its runtime, and importing it failed: {cause}. Install it: {install_command}",
            install_command=install_command,
        )


class RuntimeTooOld(BackendUnavailable):
    """The backend's runtime is older than the models need."""


class BackendUnusable(BackendUnavailable):
    """The backend's runtime is installed, and when asked it has no such device here, or fails to start."""


class BackendBroken(BackendError):
    """Opening the backend fails in a way that nobody foresaw: a plug-in without its module, say."""

    @classmethod
    def because(cls, name: str, origin: str, cause: BaseException) -> BackendBroken:
        """Build the error for the backend ``name``, which is brought by ``origin`` and failed with ``cause``."""
        told = " ".join(f"{type(cause).__name__}: {cause}".split())
        return cls(f"The backend {name!r} is broken: {told}. It comes from {origin}: repair, upgrade or uninstall that")


class VersionMissing(BackendError):
    """The backend does not say which version of its runtime it is, without which no latency of it means anything."""


class RuntimeConflict(BackendError):
    """The backend cannot be used in this process, because another runtime was loaded into it before."""


class UnsupportedConfig(BackendError):
    """The backend cannot honour the run configuration (device, precision, threads)."""


class OperatorsUnavailable(BackendError):
    """The backend has no profiler of operators; latencies are not affected."""


class GraphUnavailable(BackendError):
    """The backend does not tell which kernels it makes of a model; whole models can still be timed."""


class BuildsUnavailable(BackendError):
    """The backend builds nothing ahead of time, or nothing for the target asked for."""


class ModelRejected(BackendError):
    """The runtime cannot load, compile or run the model."""


class FallbackRefused(BackendError):
    """The runtime would run the model, or a part of it, elsewhere than on the device asked for."""


class GpuError(BackendError):
    """A call of the GPU's library failed; the message names the call and the library's own error."""


class GpuLost(GpuError):
    """The GPU failed so that nothing of this process can use it again; a new process can."""

    of_no_architecture = True


class PlanError(ProfilerError):
    """A timing plan cannot be used."""


class PlanDamaged(PlanError):
    """A plan folder is incomplete, altered, or written by another version."""


class BundleDamaged(PlanError):
    """A bundle is not one, incomplete, altered, or made to do harm when unpacked."""


class PlanMismatch(PlanError):
    """A results file or a folder already belongs to another plan."""


class JournalDamaged(ProfilerError):
    """A whole line of a journal is something else than one JSON object."""

    def __init__(self, message: str, *, path: str = "", line_number: int = 0) -> None:
        super().__init__(message)
        self.path = path
        self.line_number = line_number


class CounterUnavailable(ProfilerError):
    """A resource (energy, memory) is not counted on this machine, or its counter may not be read."""

    of_no_architecture = True


class EnvironmentChanged(ProfilerError):
    """A run was begun in another environment; ``changes`` holds (field, value then, value now)."""

    of_no_architecture = True

    def __init__(self, message: str, *, changes: Iterable[Tuple[str, Any, Any]] = ()) -> None:
        super().__init__(message)
        self.changes = tuple(changes)

    @classmethod
    def between(cls, path: object, changes: Iterable[Tuple[str, Any, Any]]) -> EnvironmentChanged:
        """Build the error for the results at ``path``."""
        changes = tuple(changes)
        listed = "; ".join(f"{name} was {then!r} and is {now!r}" for name, then, now in changes)
        return cls(
            f"{path} was begun in another environment: {listed}. Times of the two cannot be mixed, and nothing was "
            f"added to it. Go on where it was begun, or remove it to measure anew here",
            changes=changes,
        )


class ResultsLocked(ProfilerError):
    """Another worker is writing the same results file."""


class ResultsUnwritable(ProfilerError):
    """The results file cannot be written; what it holds already is kept."""

    @classmethod
    def because(cls, path: object, cause: OSError) -> ResultsUnwritable:
        """Build the error for the results at ``path``, which the operating system refused to write."""
        name = errno.errorcode.get(cause.errno or 0, type(cause).__name__)
        return cls(
            f"{path} cannot be written: {name} ({cause.strerror or cause}). Every visit recorded before is kept in it. "
            f"Make room or make it writable, then run the same again: it goes on where it stopped"
        )


class DeviceError(ProfilerError):
    """A device cannot be used."""

    of_no_architecture = True


class AddressInvalid(DeviceError):
    """What was given as a device's address is none."""


class DeviceUnreachable(DeviceError):
    """There is no line to the device; ``may_pass`` if trying again may help."""

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class DeviceBusy(DeviceError):
    """Another plan is being measured on this device; two at once would disturb each other."""


class DeviceUnfit(DeviceError):
    """The device can be reached and lacks what running a plan takes."""


class WorkerCrashed(ProfilerError):
    """The worker process died; ``exit_code`` and ``stderr_tail`` are its last words."""

    def __init__(self, message: str, *, exit_code: int = 0, stderr_tail: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.stderr_tail = stderr_tail


def error_class(name: str) -> Type[ProfilerError]:
    """Return the error class called ``name``, or `ProfilerError` if there is none."""
    return {cls.__name__: cls for cls in _subclasses(ProfilerError)}.get(name, ProfilerError)


def _subclasses(cls: Type[ProfilerError]) -> Iterator[Type[ProfilerError]]:
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)
