"""The notebooks of docs/ run from their first cell to the last, and show the kinds of outputs that they kept."""

import json

import pytest
from notebooks import NOTEBOOKS, executed, page_of

FEW_IMAGES = """
from gnomon.supernets.evaluation import classifier
from gnomon.supernets.tasks import fashion_mnist

def few(*split, read_split=fashion_mnist.read_split):
    return read_split(*split).take(slice(250))

fashion_mnist.read_split, classifier.ENOUGH = few, 250
"""  # what a notebook's process begins with here, where no accuracy counts


def shown(cells):
    """Return the kinds of outputs that each cell shows."""
    return [[sorted(one.get("data", ["text"])) for one in cell.get("outputs", [])] for cell in cells]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of the notebook's packages are theirs
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    (tmp_path / "work").mkdir()
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "few_images.py").write_text(FEW_IMAGES)
    ran = executed(path, tmp_path / "work")
    kept = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert shown(ran.cells) == shown(kept)
    assert any("text/html" in kinds for cell in shown(kept) for kinds in cell)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_a_page_of_the_site(path):
    page = page_of(path)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert page.startswith("# ")
    assert page.count("```python") == sum(cell["cell_type"] == "code" for cell in cells)
    assert "```{raw} html\n<div><div" in page
    assert "```text" in page
    assert "pycache" not in page


def test_there_are_notebooks():
    assert len(NOTEBOOKS) == 2
