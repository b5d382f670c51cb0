"""Options made from the tables of settings, so that no verb describes a setting again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import typer

from ...settings import Setting
from ..wording import as_options
from .completion import OF_SETTINGS
from .quantities import count, seconds

Verb = TypeVar("Verb", bound=Callable[..., Any])


def with_options(settings: Mapping[str, Setting]) -> Callable[[Verb], Verb]:
    """Return a decorator that gives a verb, in the place of its `**values`, an option for each of some settings."""

    def decorate(verb: Verb) -> Verb:
        signature = inspect.signature(verb, eval_str=True)
        own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        first = next((i for i, one in enumerate(own) if one.kind is inspect.Parameter.KEYWORD_ONLY), len(own))
        made = [parameter_of(name, setting) for name, setting in settings.items()]
        verb.__signature__ = signature.replace(parameters=[*own[:first], *made, *own[first:]])  # type: ignore[attr-defined]
        return verb

    return decorate


def parameter_of(name: str, setting: Setting) -> inspect.Parameter:
    """Return the parameter of a verb that typer makes the option of a setting from."""
    kind: Any = setting.kind
    default = setting.default
    if setting.separator:
        default = setting.separator.join(default)
    elif setting.is_repeated:
        kind, default = list[kind] | None, list(default) or None
    elif default is None:
        kind = kind | None
    option = f"--{(setting.option or name).replace('_', '-')}"
    names = [option.removesuffix("-s"), option] if is_time(name, setting) else [option]
    annotation = Annotated[kind, typer.Option(*names, help=as_options(setting.help), **reader_of(name, setting))]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def is_time(name: str, setting: Setting) -> bool:
    """Tell whether a setting is a length of time; its unit is then in its name."""
    return setting.kind is float and name.endswith("_s")


def reader_of(name: str, setting: Setting) -> dict[str, Any]:
    """Return how typer reads a number that may have a unit, or completes a name; nothing for other settings."""
    if is_time(name, setting):
        return {"parser": seconds, "metavar": "<time>"}
    if name in OF_SETTINGS:
        return {"autocompletion": OF_SETTINGS[name]}
    return {"parser": count, "metavar": "<count>"} if setting.kind is int else {}


def given(context: typer.Context, settings: Mapping[str, Setting], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the command line gives, and no defaults, as `checked` does."""
    sources = {name: context.get_parameter_source(name) for name in settings}
    named = [name for name, source in sources.items() if source is not None and source.name != "DEFAULT"]
    return checked({name: settings[name] for name in named}, values)


def checked(settings: Mapping[str, Setting], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of options as the library takes them; raises BadParameter for one out of its bounds."""
    found = {}
    for name, setting in settings.items():
        value = values[name]
        if setting.separator:
            value = tuple(part.strip() for part in value.split(setting.separator) if part.strip())
        elif setting.is_repeated:
            value = tuple(value or ())
        elif fault := setting.fault(value):
            raise typer.BadParameter(f"--{name.replace('_', '-')} {value}: {fault}")
        found[name] = value
    return found
