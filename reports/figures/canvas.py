"""What figures are drawn on: written as PNG, SVG or PDF by the file's ending; matplotlib is imported on use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...outputs import appearing, file_kind, require_free
from ...profilers.files import open_to_read
from ...supernets.packages import install_command
from ..errors import PlotRefused

KINDS = (".png", ".svg", ".pdf")
# Blue and orange differ in lightness and for every kind of colour vision; grey is what is not the point.
INK, ACCENT, SOFT, BAND, FINAL = "#1c2530", "#1867b7", "#9aa6b3", "#dbe8f5", "#c8500b"
COLUMN = (3.4, 2.7)  # inches: one column of a paper
FONT = {"font.size": 8, "axes.labelsize": 8, "legend.fontsize": 7, "svg.fonttype": "none", "pdf.fonttype": 42}
MARKS = {  # by which a later plot may replace it
    ".png": {"Software": "Gnomon"},
    ".svg": {"Creator": "Gnomon"},
    ".pdf": {"Creator": "Gnomon"},
}
HEAD_BYTES = 1 << 16  # of a picture, and of a PDF as much of its end


def is_ours(path: str | Path) -> bool:
    """Tell whether a picture's metadata say that Gnomon drew it; raises OSError."""
    with open_to_read(path) as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(b"%PDF-"):
            file.seek(max(0, file.seek(0, os.SEEK_END) - HEAD_BYTES))
            return b"/Creator (Gnomon)" in file.read()
    return (head.startswith(b"\x89PNG") and b"Software\0Gnomon" in head) or (
        b"<svg" in head and b"<dc:title>Gnomon</dc:title>" in head
    )


PLOT = file_kind("a plot", is_ours, option="name")


@contextmanager
def figure(path: str | Path, *, force: bool, size: tuple[float, float] = (6.4, 4.8)) -> Iterator[Any]:
    """Open a figure with one pair of axes, and save it at `path`; raises PlotRefused, OutputUnusable."""
    with figures(path, force=force, size=size, widths=(1,)) as (axes,):
        yield axes


@contextmanager
def figures(
    path: str | Path, *, force: bool, size: tuple[float, float], widths: tuple[int, ...]
) -> Iterator[tuple[Any, ...]]:
    """Open a figure with axes for each of `widths`, side by side, and save it; raises PlotRefused, OutputUnusable."""
    path = Path(path)
    if path.suffix not in KINDS:
        raise PlotRefused(f"cannot write {path}: a plot is {', '.join(KINDS)}")
    require_free(path, PLOT, force=force)
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlotRefused(f"plots need matplotlib; install it: {install_command('matplotlib')}") from error
    small = FONT if size[0] <= COLUMN[0] else {name: value for name, value in FONT.items() if "type" in name}
    with rc_context(small):  # letters stay letters in vector files, and are small in small figures
        drawing = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(drawing)
        grid = drawing.add_gridspec(1, len(widths), width_ratios=widths)
        axes = tuple(drawing.add_subplot(grid[0, column]) for column in range(len(widths)))
        for each in axes:
            for side in ("top", "right"):
                each.spines[side].set_visible(False)
        yield axes
        with appearing(path, PLOT, force=force) as fresh:
            drawing.savefig(fresh, dpi=150, metadata=MARKS[path.suffix])
