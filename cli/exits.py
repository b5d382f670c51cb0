"""Exit codes of the command, and which error has which."""

from __future__ import annotations

EXIT_USAGE, EXIT_ENVIRONMENT, EXIT_QUALITY, EXIT_UNREACHABLE, EXIT_INTERRUPTED = 2, 3, 4, 5, 130


class QualityRefused(Exception):
    """Raised by verbs under --strict when a measurement is not good enough."""


def nearest_option(error: Exception) -> str:
    """Return "; did you mean ...?" for an option that a verb does not have, where one is like it."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ != "NoSuchOption" or context is None:
        return ""
    from ..supernets.plugins import closest_hint

    known = [name for one in context.command.params for name in one.opts if name.startswith("--")]
    return closest_hint(getattr(error, "option_name", ""), known)


def exit_code_of(error: Exception) -> int | None:
    """Return the exit code of an error that Gnomon raises on purpose; None for any other."""
    if type(error).__module__.startswith("typer"):
        show = getattr(error, "format_message", None)
        if show:
            hint = nearest_option(error)
            vars(error)["message"] = f"{error}{hint}" if hint else show()  # what str() gives
        return EXIT_USAGE
    from ..profilers import errors as profiling

    if isinstance(error, profiling.DeviceUnreachable):
        return EXIT_UNREACHABLE
    environment = (profiling.BackendError, profiling.EnvironmentChanged, profiling.ResultsUnwritable)
    if isinstance(error, (*environment, profiling.WorkerCrashed, profiling.DeviceBusy, profiling.DeviceUnfit)):
        return EXIT_ENVIRONMENT
    from ..errors import GnomonError
    from ..lut.errors import FleetIncomplete
    from ..search.errors import WorkersUnavailable
    from ..supernets.errors import EvaluationImpossible, PluginBroken, PrecisionUnavailable

    lacking = (EvaluationImpossible, FleetIncomplete, PluginBroken, PrecisionUnavailable, WorkersUnavailable)
    if isinstance(error, lacking):
        return EXIT_ENVIRONMENT
    return EXIT_USAGE if isinstance(error, GnomonError) else None
