"""`--config FILE` and `--save-config FILE`: the options of a long verb as a TOML file.

Keys are the names of options without their hyphens, and of arguments. What is typed goes before the file, and the file
before defaults. Values of a file are read as if they were typed, so it can say nothing that the command line could not.
"""

from __future__ import annotations

import functools
import inspect
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

Verb = TypeVar("Verb", bound=Callable[..., Any])
READ = "TOML file of options; those that are typed go before."
SAVED = "Write the options as TOML, and stop."
MARK = "# written by gnomon {verb} --save-config"
LARGEST_BYTES = 1_000_000
OF_ONE_CALL = ("config", "save_config", "help", "force", "dry_run", "as_json")  # what no file keeps
NOTHING = inspect.Parameter.empty


def with_config(verb: Verb) -> Verb:
    """Return the verb with `--config` and `--save-config`."""
    signature = inspect.signature(verb, eval_str=True)
    takes_context = "context" in signature.parameters

    @functools.wraps(verb)
    def command(context: typer.Context, save_config: Path | None = None, **values: Any) -> Any:
        values.pop("config", None)
        if save_config is None:
            return verb(**values, **({"context": context} if takes_context else {}))
        save_options(context, save_config, force=bool(values.get("force")))
        print(save_config)
        return None

    own = [one for one in signature.parameters.values() if one.name != "context"]
    context = parameter("context", typer.Context, default=NOTHING)
    config = parameter("config", Annotated[Path | None, typer.Option(help=READ, callback=read_into, is_eager=True)])
    saved = parameter("save_config", Annotated[Path | None, typer.Option(help=SAVED)])
    vars(command)["__signature__"] = signature.replace(parameters=[context, *own, config, saved])
    return command  # type: ignore[return-value]


def parameter(name: str, annotation: Any, default: Any = None) -> inspect.Parameter:
    """Return a parameter of a verb; typer passes all of them by name."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if default is NOTHING else inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def read_into(context: typer.Context, path: Path | None) -> Path | None:
    """Make the options of a file the defaults of this call; raises BadParameter."""
    if path is None or context.resilient_parsing:
        return path
    from ...profilers.files import read_text_file
    from ...supernets.plugins import closest_hint

    try:
        content = tomllib.loads(read_text_file(path, largest_bytes=LARGEST_BYTES))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"cannot read options from {path}: {error}") from error
    names = names_of(context)
    for key in content:
        if key.replace("-", "_") not in names:
            known = sorted({name for name, one in names.items() if one not in OF_ONE_CALL})
            hint = closest_hint(key, known)
            raise typer.BadParameter(
                f"{path}: {context.info_name} has no option {key!r}; it has {', '.join(known)}{hint}"
            )
    context.default_map = {
        names[key.replace("-", "_")]: as_typed(value, f"{path}: {key}") for key, value in content.items()
    }
    return path


def names_of(context: typer.Context) -> dict[str, str]:
    """Return the parameters of a verb by all names that its options have."""
    return {
        option.lstrip("-").replace("-", "_"): str(one.name)
        for one in context.command.params
        for option in (*one.opts, str(one.name))
    }


def as_typed(value: Any, where: str) -> Any:
    """Return a value of TOML as somebody would have typed it; raises BadParameter for a table or a date."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, list):
        return [as_typed(one, where) for one in value]
    raise typer.BadParameter(f"{where} is a {type(value).__name__}; expected text, a number, true, false, or a list")


def save_options(context: typer.Context, path: Path, *, force: bool) -> None:
    """Write the options that this call gives, by themselves or by a file; raises OutputUnusable."""
    import tomli_w

    from ...outputs import appearing, file_kind
    from ...profilers.files import read_file

    mark = MARK.format(verb=context.info_name)

    def is_ours(path: Path) -> bool:
        return read_file(path).startswith(mark.encode())

    kind = file_kind("a file of options", is_ours, option="--save-config")
    with appearing(path, kind, force=force) as fresh:
        fresh.write_text(f"{mark}\n{tomli_w.dumps(given_options(context))}", encoding="utf-8")


def given_options(context: typer.Context) -> Mapping[str, Any]:
    """Return what was given, by the last name of its option: that with the unit, where there are two."""
    found: dict[str, Any] = {}
    for one in context.command.params:
        source = context.get_parameter_source(str(one.name))
        value = context.params.get(str(one.name))
        if one.name in OF_ONE_CALL or source is None or source.name == "DEFAULT" or value is None:
            continue
        key = one.opts[-1].lstrip("-").replace("-", "_")
        if isinstance(value, (list, tuple)):
            found[key] = [str(item) for item in value]
        else:
            found[key] = value if isinstance(value, (bool, int, float)) else str(value)
    return found
