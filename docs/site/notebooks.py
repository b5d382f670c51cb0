"""The notebooks of docs/: `python docs/site/notebooks.py` runs them anew and keeps what they show.

A notebook is run in a folder of its own. What is kept is free of paths and of names of hosts and users, and the same
text for the same outputs. For the site a notebook becomes a page in Markdown, which takes nothing but Python.
"""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1]
NOTEBOOKS = sorted(DOCS.glob("*.ipynb"))
LONGEST_S = 120  # of a cell
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SHOWN = ("text/html", "text/plain")  # the first that an output has is the one that the page shows


def executed(path: Path, folder: Path) -> Any:
    """Run a notebook in `folder`, and return it with what it showed; raises CellExecutionError, ValueError."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=LONGEST_S, resources=place, coalesce_streams=True).execute()
    notebook.metadata = KERNEL
    for number, cell in enumerate(notebook.cells, 1):
        cell.id, cell.metadata = f"cell-{number}", {}
        if cell.cell_type == "code":
            cell.outputs = [kept(one) for one in cell.outputs if one.get("name") != "stderr"]
    text = nbformat.writes(notebook)
    for private in (str(folder), str(Path.home()), socket.gethostname(), str(DOCS.parent)):
        if private in text:
            raise ValueError(f"{path.name} shows {private!r}, which is of this machine; change what it shows")
    return notebook


def kept(output: Any) -> Any:
    """Return an output as it is kept: what can be shown of it."""
    if "data" in output:
        output.data = {kind: output.data[kind] for kind in SHOWN if kind in output.data}
        output.metadata = {}
    return output


def page_of(path: Path) -> str:
    """Return a notebook as a page in Markdown: text, code, and what the code showed."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    parts = [part for cell in cells for part in parts_of(cell)]
    name = path.name
    return "\n\n".join([*parts, f"This page is the notebook `docs/{name}`, which the tests run."]) + "\n"


def parts_of(cell: dict[str, Any]) -> Iterator[str]:
    """Yield what a cell is in Markdown."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source
        return
    yield f"```python\n{source}\n```"
    for output in cell["outputs"]:
        data = output.get("data", {"text/plain": output.get("text", "")})
        kind = next(kind for kind in SHOWN if kind in data)
        text = "".join(data[kind]).rstrip("\n")
        yield f"```{{raw}} html\n<div>{text}</div>\n```" if kind == "text/html" else f"```text\n{text}\n```"


def main() -> None:
    """Run all notebooks, and write them where their text changed."""
    import nbformat

    for path in NOTEBOOKS:
        with tempfile.TemporaryDirectory() as folder:
            path.write_text(nbformat.writes(executed(path, Path(folder))) + "\n", encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
