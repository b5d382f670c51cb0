"""Settings of Sphinx; what is built, and of what, says build_site.py."""

from __future__ import annotations

from typing import Any

import gnomon

project = "Gnomon"
author = "The Gnomon authors"
version = release = gnomon.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "index"

myst_heading_anchors = 3  # the anchors that a code host makes
smartquotes = False  # they would make a dash of the two hyphens of an option
default_role = "code"  # docstrings name code in single backquotes
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
maximum_signature_line_length = 100
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = "Gnomon"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
pygments_style = "friendly"
pygments_dark_style = "monokai"


def setup(app: Any) -> None:
    """Show the examples of docstrings as they are typed, without options of doctest."""
    app.connect("autodoc-process-docstring", plain_docstring)


def plain_docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Escape what reStructuredText would take for markup in our plain docstrings."""
    lines[:] = [line.replace("*", "\\*").replace("|", "\\|") if ">>>" not in line else line for line in lines]
