"""Packages that overwrite each other: several distributions bring a module ``onnxruntime``, each with other providers.

Installed together, the last one's files win, and the providers of the others are gone, or half there. Plug-ins
(onnxruntime-ep-...) bring modules of their own and are no conflict. Read off what is installed; nothing is imported.
"""

from __future__ import annotations

import re
from importlib import metadata
from typing import Dict, Optional, Tuple

from .cause import NoiseCause

MODULE = "onnxruntime"
PLAIN = re.compile(r"[a-z0-9][a-z0-9.+-]*")  # of names and versions, which end up in a command and on a terminal


def package_causes() -> Tuple[NoiseCause, ...]:
    """Return what the installed packages say of ONNX Runtime; nothing where none of them has to do with it."""
    cause = onnxruntime_packages()
    return () if cause is None else (cause,)


def onnxruntime_packages() -> Optional[NoiseCause]:
    """List the distributions of ONNX Runtime and its plug-ins; bad when two bring the same module."""
    found: Dict[str, str] = {}
    rivals = []
    for distribution in metadata.distributions():
        name = str(distribution.metadata["Name"]).lower().replace("_", "-")
        brings = _brings_module(distribution)
        if name in found or not (brings or name.startswith(MODULE)):
            continue
        if not PLAIN.fullmatch(name) or not PLAIN.fullmatch(distribution.version):
            continue
        found[name] = distribution.version
        if brings:
            rivals.append(name)
    if not found:
        return None
    rivals.sort()
    kept = next((name for name in rivals if name != MODULE), MODULE)  # a special one, else why was it installed
    return NoiseCause(
        "onnxruntime packages",
        "bad" if len(rivals) > 1 else "ok",
        ", ".join(f"{name} {found[name]}" for name in sorted(found)),
        f"{' and '.join(rivals)} bring the same module: the last installed overwrites the other, and its providers go",
        f"pip uninstall --yes {' '.join(rivals)} && pip install {kept}",
    )


def _brings_module(distribution: metadata.Distribution) -> bool:
    listed = distribution.read_text("top_level.txt")
    if listed is not None:
        return MODULE in listed.split()
    return any(str(file) == f"{MODULE}/__init__.py" for file in distribution.files or ())
