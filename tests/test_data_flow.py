"""The drawing in the README keeps its text inside its boxes in a wide font too, and says what is so."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

DRAWING = Path(__file__).parent.parent / "docs" / "data-flow.svg"
SIZES = {"name": (13.0, "bold"), "note": (11.5, "normal"), "verb": (12.0, "bold")}
SPACE = "{http://www.w3.org/2000/svg}"


def drawn():
    root = ElementTree.parse(DRAWING).getroot()
    rectangles = [{k: float(r.get(k, 0)) for k in ("x", "y", "width", "height")} for r in root.iter(f"{SPACE}rect")]
    page = next(r for r in rectangles if r["x"] == r["y"] == 0)
    return page, [r for r in rectangles if r is not page], list(root.iter(f"{SPACE}text"))


def width_px(text, size, weight):
    """Measure a text in DejaVu Sans, which is wider than Helvetica and Arial."""
    matplotlib = pytest.importorskip("matplotlib")
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    assert matplotlib
    font = FontProperties(family="DejaVu Sans", weight=weight)
    return TextPath((0, 0), text, size=size, prop=font).get_extents().x1


def test_no_text_runs_over_an_edge_in_a_wide_font():
    page, boxes, texts = drawn()
    assert len(texts) > 20
    for text in texts:
        left, base = float(text.get("x")), float(text.get("y"))
        right = left + width_px(text.text, *SIZES[text.get("class")])
        assert right <= page["width"] - 4, text.text
        for box in boxes:
            if not box["y"] <= base <= box["y"] + box["height"]:
                continue
            inside = box["x"] <= left <= box["x"] + box["width"]
            if inside:
                assert right <= box["x"] + box["width"] - 4, text.text
            else:
                assert right <= box["x"] - 2 or left >= box["x"] + box["width"], text.text


def test_it_does_not_name_a_tactic():
    assert "LINAS" not in DRAWING.read_text(encoding="utf-8")
