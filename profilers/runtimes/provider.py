"""What an execution provider of ONNX Runtime must say of itself, so that it is asked for by name and held to it.

The registry is the folder ``providers/``: file name = variant of the backend ``onnxruntime`` (``cpu`` is the bare one).
A provider says how it gets into a session and what it reports from there. That every node of a model runs on it is
checked for all of them alike, in `placement.py`. Importing this, or a provider, imports no runtime.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Protocol, Tuple

from ..errors import BackendUnavailable, UnsupportedConfig
from ..run_config import RunConfig
from . import providers

Options = Dict[str, str]
Arguments = Optional[List[Tuple[str, Options]]]  # what `InferenceSession` takes as its providers


class Provider(Protocol):
    """An execution provider, which runs a session's nodes on one kind of processor."""

    @property
    def name(self) -> str:
        """What ONNX Runtime calls it, and reports nodes as placed on."""

    @property
    def device(self) -> str:
        """The kind of processor, as `RunConfig.device` must say it."""

    @property
    def install_command(self) -> str:
        """The command that installs it."""

    @property
    def precisions(self) -> Tuple[str, ...]:
        """The precisions of `RunConfig` that it is known to honour."""

    @property
    def precision_note(self) -> str:
        """What to say of the others, after the error that refuses one."""

    @property
    def memory(self) -> str:
        """Where inputs and outputs lie while a model is timed, as `OrtValue` names it: cpu or cuda."""

    @property
    def has_own_threads(self) -> bool:
        """Whether it computes on other threads than ONNX Runtime's pool, which then gets a single one."""

    @property
    def profiles_operators(self) -> bool:
        """Whether ONNX Runtime's profiler times its operators one by one."""

    @property
    def takes_process(self) -> bool:
        """Whether `start` loads libraries that this process then keeps, and that may exclude others."""

    def require(self, runtime: ModuleType) -> None:
        """Raise `BackendUnavailable` unless it is installed; loads no library."""

    def start(self, runtime: ModuleType) -> None:
        """Make it ready in this process, once, before the first session.

        Raises `UnsupportedConfig` where its device does not work here, `RuntimeConflict` where the process is taken.
        """

    def versions(self) -> Dict[str, str]:
        """Return the version of what it brings besides ONNX Runtime itself."""

    def attach(self, runtime: ModuleType, session_options: Any, config: RunConfig) -> Arguments:
        """Put it into ``session_options`` (None is returned), or return the session's argument ``providers``."""

    def read_back(self, session: Any, config: RunConfig) -> Dict[str, Any]:
        """Return what it reports of the options set; raises `UnsupportedConfig` where they differ."""


def provider_names() -> Tuple[str, ...]:
    """Return the names of the files in ``providers/``, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(providers.__path__)))


def load_provider(name: str) -> Provider:
    """Return the provider of the file called ``name``."""
    provider: Provider = importlib.import_module(f"{providers.__name__}.{name}").PROVIDER
    return provider


def no_options(config: RunConfig) -> Options:
    """Return no options at all."""
    return {}


def nothing_to_start(runtime: ModuleType) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class BuiltInProvider:
    """A provider compiled into the installed ONNX Runtime; ``options`` gives what it is set to for a configuration."""

    name: str
    device: str
    install_command: str
    options: Callable[[RunConfig], Options] = no_options
    prepare: Callable[[ModuleType], None] = nothing_to_start
    identity: Callable[[], Dict[str, str]] = dict
    precisions: Tuple[str, ...] = ("fp32",)
    precision_note: str = ""
    memory: str = "cpu"
    has_own_threads: bool = False
    profiles_operators: bool = False

    @property
    def takes_process(self) -> bool:
        """Whether it has anything to start."""
        return self.prepare is not nothing_to_start

    def require(self, runtime: ModuleType) -> None:
        """Raise `BackendUnavailable` unless the installed ONNX Runtime has it."""
        available = runtime.get_available_providers()
        if self.name not in available:
            raise BackendUnavailable(
                f"onnxruntime {runtime.__version__} as installed here has no {self.name}; it has "
                f"{', '.join(available)}. Install it: {self.install_command}",
                install_command=self.install_command,
            )

    def start(self, runtime: ModuleType) -> None:
        """Make it ready as its file says."""
        self.prepare(runtime)

    def versions(self) -> Dict[str, str]:
        """Return what its device and its libraries say of themselves; the build of ONNX Runtime says the rest."""
        return self.identity()

    def attach(self, runtime: ModuleType, session_options: Any, config: RunConfig) -> Arguments:
        """Return it as the one provider asked for."""
        return [(self.name, self.options(config))]

    def read_back(self, session: Any, config: RunConfig) -> Dict[str, Any]:
        """Return the options it was given, and which of them it does not report."""
        asked = self.options(config)
        if not asked:
            return {}
        reported = session.get_provider_options().get(self.name, {})
        for option, value in asked.items():
            if reported.get(option, value) != value:
                raise UnsupportedConfig(f"asked {self.name} for {option}={value}; it reports {reported[option]}")
        return {"provider_options": asked, "provider_options_unreported": sorted(set(asked) - set(reported))}
