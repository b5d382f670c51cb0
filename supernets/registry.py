"""Find search spaces: a module of `spaces/` with `build(**options)`, or an entry point of group gnomon.spaces.

A space is named as `ofa_mobilenetv3` or, with options, `ofa_mobilenetv3:width=1.2,resolution=192`. What is registered
makes a SearchSpace, or a TorchSpace (adapter.py), whose space is taken. Any space takes the option
`precision=fp32+int8`: then the precision is a choice of every architecture.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from .errors import UnknownSpace
from .layers.torch_modules import DECLARERS
from .plugins import Registry, closest_hint, unknown_as
from .space.space import SearchSpace, with_setting

PRECISION = "precision"  # the setting that any space can have


class DeclaresSpace(Protocol):
    """What has a search space, given a name."""

    def space(self, name: str) -> SearchSpace:
        """Return the search space."""
        ...


SPACES: Registry[Callable[..., SearchSpace | DeclaresSpace]] = Registry(
    "space", "supernets/spaces", unknown_as(UnknownSpace), "gnomon.spaces", attribute="build"
)


def space_names() -> tuple[str, ...]:
    """Name the registered spaces, sorted."""
    return SPACES.names()


@lru_cache(maxsize=64)
def load_space(name: str) -> SearchSpace:
    """Build the space called `name`; raises UnknownSpace for an unknown name, option or option value, PluginBroken."""
    base, _, rest = name.partition(":")
    builder = SPACES.load(base)
    given = dict(item.partition("=")[::2] for item in rest.split(",") if item)
    precision = given.pop(PRECISION, None)
    known = {parameter.name: parameter.default for parameter in inspect.signature(builder).parameters.values()}
    options: dict[str, object] = {}
    for key, text in given.items():
        if key not in known:
            hint = closest_hint(key, list(known))
            raise UnknownSpace(f"space {base!r} has no option {key!r}; it has {', '.join(known) or 'none'}{hint}")
        try:
            options[key] = type(known[key])(text)
        except ValueError as error:
            kind = type(known[key]).__name__
            raise UnknownSpace(f"space option {key}={text!r} is not {kind}; the default is {known[key]}") from error
    with SPACES.blaming(base):
        space = space_of(builder(**options), full_name(base, known, {**known, **options}))
    return space if precision is None else with_setting(space, PRECISION, precisions_from_text(precision))


def precisions_in(space: SearchSpace) -> tuple[str, ...]:
    """Return the precisions that a space lets architectures choose from; none where it is no choice."""
    return tuple(map(str, space.setting_options(PRECISION)))


def precisions_from_text(text: str) -> tuple[str, ...]:
    """Return what `fp32+int8` lists; raises UnknownSpace for fewer than two, or one twice or of no known name."""
    from .precision import precisions

    listed = tuple(text.split("+"))
    if len(listed) < 2 or len(set(listed)) < len(listed) or not set(listed) <= set(precisions()):
        raise UnknownSpace(
            f"space option precision={text!r}: expected two or more of {', '.join(precisions())}, joined by +"
        )
    return listed


def space_of(built: SearchSpace | DeclaresSpace, name: str) -> SearchSpace:
    """Return a search space itself, or the one of a super-network that is declared in torch."""
    return built if isinstance(built, SearchSpace) else built.space(name)


def full_name(base: str, defaults: dict[str, object], options: dict[str, object]) -> str:
    """Return `base` with the options that differ from the defaults, in the defaults' order."""
    changed = [f"{key}={options[key]}" for key in defaults if options[key] != defaults[key]]
    return f"{base}:{','.join(changed)}" if changed else base


def declare(name: str) -> None:
    """Load the space called `name`, if it is registered: so the classes that its layers name are known."""
    if name in space_names():
        load_space(name)


DECLARERS.append(declare)
