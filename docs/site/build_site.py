"""Build the documentation site, offline: `python docs/site/build_site.py build/docs`, or `make docs`.

The pages are those of docs/, which read as they are on a code host. Here they are copied, the front page gets the
tables of contents, and the reference is generated from the code. Sphinx makes HTML of that; a warning is an error.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from api_page import api_page
from cli_page import cli_page
from contents import FRONT, toctrees
from file_schemas import SCHEMAS, schema_page
from notebooks import NOTEBOOKS, page_of

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
FROM_ROOT = ("CHANGELOG.md", "CONTRIBUTING.md")
PICTURES = (".svg", ".png")
RENAMED = {"search.md": "searching.md"}  # Sphinx has a page of its own, search.html


def main(out: Path) -> int:
    """Build the site in `out`/html; returns Sphinx's exit code."""
    from sphinx.cmd.build import build_main

    pages = out / "pages"
    stage(pages)
    settings = ["-W", "--keep-going", "-q", "-a", "-c", str(Path(__file__).parent), "-d", str(out / "doctrees")]
    code = int(build_main([*settings, str(pages), str(out / "html")]))
    if code == 0:
        print(out / "html" / "index.html")
    return code


def stage(pages: Path) -> None:
    """Write all pages into a folder of their own; what did not change is left alone, and Sphinx does not read it."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    texts |= {name: from_root((ROOT / name).read_text(encoding="utf-8")) for name in FROM_ROOT}
    texts |= {path.with_suffix(".md").name: page_of(path) for path in NOTEBOOKS}
    texts |= {"cli.md": cli_page(), "api.md": api_page(), "schemas.md": schema_page()}
    texts = {RENAMED.get(name, name): beside_docs(text) for name, text in texts.items()}
    texts[f"{FRONT}.md"] += toctrees(Path(name).stem for name in texts)
    held = {name: text.encode() for name, text in texts.items()}
    held |= {path.name: path.read_bytes() for path in DOCS.iterdir() if path.suffix in PICTURES}
    held |= {f"schemas/{path.name}": path.read_bytes() for path in SCHEMAS.glob("*.json")}
    for path in [path for path in pages.rglob("*") if path.is_file()]:
        if str(path.relative_to(pages)) not in held:
            path.unlink()
    for name, content in held.items():
        path = pages / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def beside_docs(text: str) -> str:
    """Return a page of docs/ with its links as they are where everything lies in one folder."""
    text = text.replace("](../", "](").replace(".ipynb)", ".md)")
    for name, new in RENAMED.items():
        text = re.sub(rf"\]\({re.escape(name)}", f"]({new}", text)
    return text


def from_root(text: str) -> str:
    """Return a page of the project's root with its links as they are beside those of docs/."""
    return re.sub(r"\]\(docs/", "](", text)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
