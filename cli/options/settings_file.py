"""Search settings as TOML files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...search import SearchConfig


MARK = "# written by gnomon search --save-config"
LARGEST_BYTES = 1_000_000


def read_settings(path: Path) -> dict[str, Any]:
    """Read settings, which `SearchConfig` checks; raises InvalidConfig for a file that is unreadable or no TOML."""
    from ...profilers.files import read_text_file
    from ...search.errors import InvalidConfig

    try:
        return tomllib.loads(read_text_file(path, largest_bytes=LARGEST_BYTES))
    except (OSError, ValueError) as error:
        raise InvalidConfig(f"cannot read settings from {path}: {error}", field="config") from error


def save_settings(config: SearchConfig, path: Path, *, force: bool) -> None:
    """Write settings; raises OutputUnusable."""
    import tomli_w

    from ...outputs import appearing, file_kind
    from ...profilers.files import read_file

    def is_ours(path: Path) -> bool:
        return read_file(path).startswith(MARK.encode())

    values = config.model_dump(mode="json")
    reference = values.pop("reference")
    content = {name: value for name, value in values.items() if value is not None}
    if reference:
        content["reference"] = reference
    kind = file_kind("a file of settings", is_ours, option="--save-config")
    with appearing(path, kind, force=force) as fresh:
        fresh.write_text(f"{MARK}\n{tomli_w.dumps(content)}", encoding="utf-8")
