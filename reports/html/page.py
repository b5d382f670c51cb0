"""The page: templates filled with what there is to say, style and script inside, and data that no text can break.

Everything that a template writes is escaped. The script is allowed by its hash alone, and nothing may be loaded, so
text of a file can neither run nor fetch anything, were it to get past the escaping.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...search.runs.files.records import REPORT_MARK
from .drawing.text import shown, trusted

ASSETS = Path(__file__).parent / "assets"
TEMPLATES = Path(__file__).parent / "templates"
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def page_of(content: dict[str, Any], data: dict[str, Any]) -> str:
    """Return the page of `content`, by the names that the templates use, with `data` for its script."""
    script = (ASSETS / "report.js").read_text(encoding="utf-8")
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            **content,
            generator=trusted(REPORT_MARK),
            style=trusted((ASSETS / "report.css").read_text(encoding="utf-8")),
            script=trusted(script),
            policy=policy_of(script),
            data=trusted(safe_json(data)),
        )
    )


@cache
def environment() -> Environment:
    """Return what reads the templates, each once: everything that they write is escaped."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalized,
    )


def finalized(value: Any) -> Any:
    """Return what a template writes: markup, which is ours, as it is, and text as `shown`."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def safe_json(data: Any) -> str:
    """Return JSON that ends no script element, whatever its strings hold."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return "".join(UNSAFE.get(one, one) for one in text)


def policy_of(script: str) -> str:
    """Return the content security policy: nothing from elsewhere, no script but ours."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    nothing = "default-src 'none'; base-uri 'none'; form-action 'none'"
    return f"{nothing}; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
