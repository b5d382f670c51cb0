"""Hostile weights: safetensors files with another list of tensors; torch files with another pickle, or running code."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache

import numpy as np

from .bundles import entries_of
from .inputs import altered, changed

TENSORS = {"conv.weight": (2, 3), "conv.bias": (2,)}
PICKLES = (
    b"cos\nsystem\n(S'touch ../escaped'\ntR.",
    b"cposix\nsystem\n(S'touch ../escaped'\ntR.",
    b"c__builtin__\neval\n(S'1+1'\ntR.",
    b"\x80\x02cbuiltins\ngetattr\n(cbuiltins\nobject\nX\x09\x00\x00\x00__class__tR.",
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x02tR.",
    b"\x80\x02}.",
    b"\x80\x02]K\x01a.",
    b"(" * 3000 + b".",
    b"\x80\x02" + b"]" * 3000 + b"a" * 2999 + b".",
)  # that call what no weights need, or hold something else than tensors by name
SHARE_TORCH = 0.5


def small_weights() -> bytes:
    """Return a safetensors file of two tensors."""
    header, at, data = {}, 0, b""
    for name, shape in TENSORS.items():
        content = np.ones(shape, np.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + len(content)]}
        at, data = at + len(content), data + content
    return with_header(header, data)


def with_header(header: object, data: bytes) -> bytes:
    """Return a safetensors file of a header and what follows it."""
    text = json.dumps(header).encode(errors="surrogatepass")
    return len(text).to_bytes(8, "little") + text + data


@cache
def torch_weights() -> bytes:
    """Return a torch file of the same tensors."""
    import torch

    held = io.BytesIO()
    torch.save({name: torch.ones(shape) for name, shape in TENSORS.items()}, held)
    return held.getvalue()


def hostile_weights(content: bytes, rng: np.random.Generator) -> bytes:
    """Return weights with something wrong, made of a safetensors file or of a torch file."""
    if rng.random() < SHARE_TORCH:
        return hostile_torch(torch_weights(), rng)
    if rng.random() < 0.3:
        return altered(content, rng)
    size = int.from_bytes(content[:8], "little")
    header = changed(json.loads(content[8 : 8 + size]), rng)
    if rng.random() < 0.2 and isinstance(header, dict):
        header["__metadata__"] = changed({"a": "b", "c": ["d"]}, rng)
    return with_header(header, content[8 + size :] if rng.random() < 0.9 else b"")


def hostile_torch(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a torch file with its bytes altered, those of a file in it, or another pickle in place of its own."""
    how = int(rng.integers(0, 4))
    pickle = PICKLES[int(rng.integers(0, len(PICKLES)))]
    if how == 0:
        return altered(content, rng)
    if how == 1:
        return pickle if rng.random() < 0.5 else altered(pickle, rng)
    held = io.BytesIO()
    entries = entries_of(content)
    at = int(rng.integers(0, len(entries)))
    with zipfile.ZipFile(held, "w") as archive:
        for number, (name, data, _) in enumerate(entries):
            if how == 2 and name.endswith("data.pkl"):
                archive.writestr(name, pickle if rng.random() < 0.5 else altered(data, rng))
            elif how == 3 and number == at:
                archive.writestr(name, altered(data, rng))
            else:
                archive.writestr(name, data)
    return held.getvalue()
