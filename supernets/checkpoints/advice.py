"""What to do about weights that do not fit or are not there: the space that a file fits, or where its like is had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SupernetError
from ..recipes import recipe_names
from ..weight_files import SHIPPED
from .published import FORMATS, option_of, published_for, with_option
from .shapes import first_difference, shapes_of
from .translation import named_as_ours

if TYPE_CHECKING:
    from torch import Tensor

CLASSIFIER = "classifier."  # what the last layer of a network that classifies is called, ours and others'
READING = ".reading"  # what a table notes besides, where the file of weights says so
CLASSIFIER_ROWS = ("classifier.linear.weight", "classifier.linear.bias")


def advice(space: str, path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Say which space the tensors of `path` fit, what they lack, or which file `space` expects."""
    fitting = space_that_fits(space, tensors)
    if fitting is not None:
        classes = option_of(fitting, "classes")
        why = f", whose classifier tells {classes} classes apart" if classes else ""
        return f"; the file fits {fitting}{why}: name that space{training(space, path, fitting)}"
    if is_without_classifier(space, tensors):
        return f"; the file is a network without a classifier: train one with gnomon train {space} --from {path}"
    published = published_for(space)
    return f"; expected {published.expected(space)}" if published else ""


def training(space: str, path: Path, fitting: str) -> str:
    """Say how weights of the same network for other classes become those of `space`, where there is a recipe."""
    base = space.partition(":")[0]
    if base != fitting.partition(":")[0] or base not in recipe_names():
        return ""
    return f", or train its classifier: gnomon train {space} --from {path}"


def is_without_classifier(space: str, tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether tensors are all that `space` needs but its classifier."""
    from ..registry import load_space

    try:
        found, expected = shapes_of(named_as_ours(space, tensors)), shapes_of_space(space)
    except SupernetError:
        return False
    slot = f"slots.{load_space(space).slots[-1].name.replace('.', '_')}."
    body = {name: shape for name, shape in expected.items() if not (name.startswith(slot) and CLASSIFIER in name)}
    return len(body) < len(expected) and first_difference(body, found) is None


def space_that_fits(asked: str, tensors: Mapping[str, Tensor]) -> str | None:
    """Return the first space whose network takes `tensors`: `asked`, those with shipped or published weights.

    Each is tried with as many classes as the tensors' classifier has.
    """
    for space in dict.fromkeys([asked, *spaces_with_files()]):
        try:
            named = named_as_ours(space, tensors)
        except SupernetError:
            continue
        found = {name: shape for name, shape in shapes_of(named).items() if not name.endswith(READING)}
        for candidate in (space, *with_classes_of(space, found)):
            try:
                expected = shapes_of_space(candidate)
            except SupernetError:  # not every space can have other classes
                continue
            if first_difference(expected, found) is None:
                return candidate
    return None


def with_classes_of(space: str, found: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
    """Yield the space with the number of classes that tensors of these shapes tell apart, where they say it."""
    for name, shape in found.items():
        if name.endswith(CLASSIFIER_ROWS) and shape:
            yield with_option(space, "classes", shape[0])
            return


def shapes_of_space(space: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors of a space's network."""
    import torch

    from ..elastic import ElasticNetwork
    from ..registry import load_space

    with torch.device("meta"):  # shapes alone, no memory
        return shapes_of(ElasticNetwork(load_space(space)).state_dict())


def spaces_with_files() -> tuple[str, ...]:
    """Name the spaces that weights ship for, and those that others publish weights for."""
    others = [file.space for _, published in FORMATS.loadable() for file in published.files]
    return tuple(dict.fromkeys([*(file.stem for file in sorted(SHIPPED.glob("*.safetensors"))), *others]))


def absent(space: str, path: str | Path) -> str:
    """Say that the checkpoint `path` is not there, and where one for `space` is published."""
    published = published_for(space)
    hint = f"; expected is {published.expected(space)}" if published else ""
    return f"there is no checkpoint {path}{hint}"


def ways_to_weights(space: str) -> str:
    """Say how weights for `space` are had: published ones, and those of a recipe."""
    published, base = published_for(space), space.partition(":")[0]
    files = published.files_for(space) if published else []
    whole, starts = (" or ".join(file.said() for file in files if bool(file.what) == part) for part in (False, True))
    way = "pass `checkpoint=FILE`" + (f", as {whole}" if whole else "")
    if base in recipe_names():
        return f"{way}, or make them: gnomon train {space}" + (f", with {starts}" if starts else "")
    return f"{way}: there is no recipe to train it here (docs/spaces.md says how to write one)"
