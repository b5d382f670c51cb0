"""The reference of the Python interface, from the docstrings of what `import gnomon` offers."""

from __future__ import annotations

import inspect

import gnomon
from gnomon.search import SearchConfig

HEAD = """# Python

This page is made from the docstrings. The tests run every example on it.

```python
import gnomon
```

`str` and `Path` are both fine wherever a path is asked for. Every error that Gnomon raises is a `gnomon.GnomonError`.
"""
RESULTS = {
    "lut": ("HardwareProfile", "LatencyEstimate", "ProfileDiff", "FitReport"),
    "lut.kernels.profile_file.profile": ("KernelProfile",),
    "lut.kernels.predict": ("ModelPrediction", "KernelLine"),
    "search": ("Run", "ParetoFront", "FinalFront", "Evaluation", "Trial"),
    "supernets": ("Architecture", "Choice", "Slot", "LayerSpec"),
}


def api_page() -> str:
    """Return the page, as Markdown with directives of Sphinx."""
    names = [name for name in gnomon.__all__ if not name.startswith("_")]
    functions = sorted(name for name in names if inspect.isfunction(getattr(gnomon, name)))
    classes = sorted(set(names) - set(functions))
    parts = [HEAD, "## Functions\n", *(documented("autofunction", f"gnomon.{name}") for name in functions)]
    parts += ["## Classes\n"]
    for name in classes:
        parts.append(settings_table() if name == "SearchConfig" else documented("autoclass", f"gnomon.{name}"))
    parts.append("## What they return\n")
    for package, results in RESULTS.items():
        parts += [documented("autoclass", f"gnomon.{package}.{name}") for name in results]
    return "\n".join(parts)


def documented(directive: str, name: str) -> str:
    """Return the directive that shows an object by its docstring, and a class with its documented members."""
    options = "   :members:\n" if directive == "autoclass" else ""
    return f"### {name.split('.')[-1]}\n\n```{{eval-rst}}\n.. {directive}:: {name}\n{options}```\n"


def settings_table() -> str:
    """Return the section of `SearchConfig`, by its fields."""
    rows = [
        f"| `{name}` | {'required' if field.is_required() else f'`{field.get_default(call_default_factory=True)!r}`'} "
        f"| {(field.description or '').replace('|', chr(92) + '|').replace('<', chr(92) + '<')} |"
        for name, field in SearchConfig.model_fields.items()
    ]
    head = f"### SearchConfig\n\n{inspect.getdoc(SearchConfig)}\n\n| setting | default | meaning |\n|---|---|---|\n"
    return head + "\n".join(rows) + "\n"
