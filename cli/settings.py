"""Search settings as TOML files."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..search import SearchConfig


def config_from_toml(path: Path) -> SearchConfig:
    """Read settings; raises InvalidConfig for a file that is unreadable, no TOML, or has unknown settings."""
    from ..search import SearchConfig
    from ..search.errors import InvalidConfig

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidConfig(f"cannot read settings from {path}: {error}", field="config") from error
    return SearchConfig.model_validate(content)


def toml_from_config(config: SearchConfig, path: Path, *, force: bool) -> None:
    """Write settings; raises InvalidConfig when the file exists and `force` is off, or cannot be written."""
    from ..search.errors import InvalidConfig

    if path.exists() and not force:
        raise InvalidConfig(f"{path} is there already; replace it with --force", field="save_config")
    values = config.model_dump(mode="json")
    reference = values.pop("reference")
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value is not None]
    if reference:
        lines += ["[reference]", *(f"{json.dumps(name)} = {value}" for name, value in reference.items())]
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidConfig(f"cannot write {path}: {error}", field="save_config") from error
