"""The `gnomon` command: verbs, and the one door through which errors leave.

Exit codes: 0 ok, 2 usage or bad input, 3 backend or environment, 4 measurement quality under --strict, 5 device
unreachable, 130 interrupted (run the same command again to go on). Tables go to stdout, progress and errors to stderr.
"""

from __future__ import annotations

import importlib
import sys

import typer

from ..version import VERSION
from .groups import VERBS, Verbs
from .wording import as_options

app = typer.Typer(
    name="gnomon",
    help="How fast every sub-network of a super-network runs on this device, and which are best.",
    cls=Verbs,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

EXTRA_OF = {
    "torch": "torch",
    "safetensors": "torch",
    "PIL": "torch",
    "pymoo": "search",
    "moocore": "search",
    "sklearn": "search",
    "scipy": "search",
    "pyarrow": "parquet",
    "yaml": "yaml",
    "pandas": "frame",
    "optuna": "optuna",
}
NO_ARGUMENTS = "NoArgsIsHelpError"  # of what typer carries of click, wherever that lies
EXIT_USAGE, EXIT_ENVIRONMENT, EXIT_QUALITY, EXIT_UNREACHABLE, EXIT_INTERRUPTED = 2, 3, 4, 5, 130


class QualityRefused(Exception):
    """Raised by verbs under --strict when a measurement is not good enough."""


def show_version(asked: bool) -> None:
    """Print the version and leave."""
    if asked:
        print(f"gnomon {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=show_version, is_eager=True),
) -> None:
    """Options of the command itself."""


for verb in VERBS:
    importlib.import_module(f".{verb}", __package__).register(app)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; every known error becomes one message on stderr."""
    try:
        result = app(args=arguments, standalone_mode=False)
        if result == EXIT_INTERRUPTED:  # what typer makes of Ctrl-C
            raise KeyboardInterrupt
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted; nothing measured is lost, run the same command again to go on", file=sys.stderr)
        return EXIT_INTERRUPTED
    except QualityRefused as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_QUALITY
    except ModuleNotFoundError as error:
        extra = EXTRA_OF.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        print(f"error: this needs {error.name}, which is not installed: pip install 'gnomon[{extra}]'", file=sys.stderr)
        return EXIT_ENVIRONMENT
    except Exception as error:
        if type(error).__name__ == NO_ARGUMENTS:
            print(getattr(error, "message", ""))
            return 0
        code = exit_code_of(error)
        if code is None:
            raise
        print(f"error: {as_options(str(error))}", file=sys.stderr)
        return code
    return result if isinstance(result, int) else 0


def exit_code_of(error: Exception) -> int | None:
    """Return the exit code of an error that Gnomon raises on purpose; None for any other."""
    if type(error).__module__.startswith("typer"):
        show = getattr(error, "format_message", None)
        error.args = (show(),) if show else error.args
        return EXIT_USAGE
    from ..profilers import errors as profiling

    if isinstance(error, profiling.DeviceUnreachable):
        return EXIT_UNREACHABLE
    environment = (profiling.BackendError, profiling.EnvironmentChanged, profiling.ResultsUnwritable)
    if isinstance(error, (*environment, profiling.WorkerCrashed, profiling.DeviceBusy, profiling.DeviceUnfit)):
        return EXIT_ENVIRONMENT
    from ..lut.errors import LutError
    from ..reports.errors import PlotRefused
    from ..search.errors import SearchError
    from ..supernets.errors import PrecisionUnavailable, SupernetError

    if isinstance(error, PrecisionUnavailable):
        return EXIT_ENVIRONMENT
    usage = (profiling.ProfilerError, LutError, PlotRefused, SearchError, SupernetError)
    return EXIT_USAGE if isinstance(error, usage) else None
