"""The `gnomon` command: it finds the verbs, and turns every known error into one line and an exit code.

Exit codes: 0 ok, 2 usage or bad input, 3 backend or environment, 4 measurement quality under --strict, 5 device
unreachable, 130 interrupted (run the same command again to go on). Tables go to stdout, progress and errors to stderr.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer

from ..printable import in_one_line
from ..version import VERSION
from .exits import EXIT_ENVIRONMENT, EXIT_INTERRUPTED, EXIT_QUALITY, QualityRefused, exit_code_of
from .groups import VERBS, Verbs
from .printing.progress import say_if_not_interruptible
from .streams import EXIT_UNREAD, fault_of_output, open_missing
from .wording import as_options

app = typer.Typer(
    name="gnomon",
    help="How fast every sub-network of a super-network runs on this device, and which are best.",
    cls=Verbs,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

LONG_VERBS = frozenset(("space", "data", "train", "evaluate", "profile", "build", "search", "finish", "export", "demo"))
NO_ARGUMENTS = "NoArgsIsHelpError"  # of what typer carries of click, wherever that lies


def show_version(asked: bool) -> None:
    """Print the version and leave."""
    if asked:
        print(f"gnomon {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=show_version, is_eager=True),
) -> None:
    """Options of the command itself."""
    if context.invoked_subcommand in LONG_VERBS:
        say_if_not_interruptible()


for verb in VERBS:
    importlib.import_module(f".verbs.{verb}", __package__).register(app)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line in a process of its own, and exit with its code."""
    open_missing()
    arguments = sys.argv[1:] if arguments is None else arguments
    if LONG_VERBS.intersection(arguments[:1]):  # those that may import torch
        leave_others_their_processors()
    try:
        code = run(arguments)
    except (BrokenPipeError, SystemExit):  # which typer raises for one of stdout
        code = EXIT_UNREAD
    sys.exit(code_by_output(code))


def code_by_output(code: int) -> int:
    """Return the exit code of a command that ended with one: another where its output was not taken."""
    fault = fault_of_output()
    if fault is None:
        return code
    name, error = fault
    if isinstance(error, BrokenPipeError):
        return code or EXIT_UNREAD
    with suppress(OSError):
        print(f"error: {name} cannot be written: {error.strerror}", file=sys.stderr, flush=True)
    return EXIT_ENVIRONMENT


def leave_others_their_processors() -> None:
    """Set how many threads torch uses and how they wait; child processes that time something clear it again."""
    from ..supernets.threads import processors, thread_variables

    os.environ.update(thread_variables(processors(), os.environ))


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; every known error becomes one message on stderr."""
    try:
        with torn_lines_shown():
            result = app(args=arguments, standalone_mode=False)
        if result == EXIT_INTERRUPTED:  # what typer makes of Ctrl-C
            raise KeyboardInterrupt
    except (KeyboardInterrupt, typer.Abort) as stopped:
        if isinstance(stopped.__cause__, EOFError):  # typer takes it for Ctrl-C; verbs ask for no input, so it is none
            raise stopped.__cause__ from None
        print("interrupted; nothing measured is lost, run the same command again to go on", file=sys.stderr)
        return EXIT_INTERRUPTED
    except QualityRefused as error:
        print(f"error: {in_one_line(str(error))}", file=sys.stderr)
        return EXIT_QUALITY
    except ModuleNotFoundError as error:
        from ..supernets.packages import install_command

        command = install_command(error.name or "")
        if command is None:
            raise
        print(f"error: this needs {error.name}, which is not installed: {command}", file=sys.stderr)
        return EXIT_ENVIRONMENT
    except BrokenPipeError:
        raise
    except Exception as error:
        if type(error).__name__ == NO_ARGUMENTS:
            print(getattr(error, "message", ""))
            return 0
        if isinstance(error, (OSError, MemoryError)):
            return system_refused(error)
        code = exit_code_of(error)
        if code is None:
            raise
        print(f"error: {in_one_line(as_options(str(error)))}", file=sys.stderr)
        return code
    return result if isinstance(result, int) else 0


def system_refused(error: OSError | MemoryError) -> int:
    """Say what the operating system refused, which no part of Gnomon expected there, and return the exit code."""
    why = str(error) if isinstance(error, OSError) else "there is no memory left"
    print(
        f"error: the operating system refused what this needs: {in_one_line(why)}; what was measured is kept, and the "
        "same command goes on once it allows that",
        file=sys.stderr,
    )
    return EXIT_ENVIRONMENT


@contextmanager
def torn_lines_shown() -> Iterator[None]:
    """Print a warning of a torn last line (a writer was killed) to stderr in one line; leave other warnings alone."""
    from ..profilers.journal import TornLine

    with warnings.catch_warnings():
        shown = warnings.showwarning
        warnings.simplefilter("always", TornLine)

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, TornLine):
                print(f"warning: {in_one_line(str(message))}", file=sys.stderr)
            else:
                shown(message, category, *where, **more)

        warnings.showwarning = show
        yield
