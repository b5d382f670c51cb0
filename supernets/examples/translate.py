"""Translate by the models in this folder: python translate.py "A sentence." ... (takes numpy and onnxruntime)."""

import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).parent
BPE = json.loads((HERE / "vocabulary.json").read_text("utf-8"))["model"]
IDS, RANKS = BPE["vocab"], {tuple(pair): rank for rank, pair in enumerate(BPE["merges"])}
ENCODER, STEP = (onnxruntime.InferenceSession(HERE / f"{part}.onnx") for part in ("encoder", "decoder_step"))


def encode(text: str) -> Iterator[int]:
    """Yield ids: within a word, the pair of parts that was merged first in learning is merged first."""
    for word in re.findall("▁?\\w+|▁?[^\\w▁]|▁", "▁" + unicodedata.normalize("NFC", text).replace(" ", "▁")):
        parts = list(word)
        while min(ranks := [RANKS.get(pair, np.inf) for pair in zip(parts, parts[1:])], default=np.inf) < np.inf:
            first = ranks.index(min(ranks))
            parts[first : first + 2] = ["".join(parts[first : first + 2])]
        yield from (IDS.get(part, IDS["<unk>"]) for part in parts)


def run(session: onnxruntime.InferenceSession, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run a model on what it takes in among the values; an output x.next is the input x of the next run."""
    outputs = session.run(None, {value.name: values[value.name] for value in session.get_inputs()})
    return {value.name.removesuffix(".next"): array for value, array in zip(session.get_outputs(), outputs)}


def translate(text: str) -> str:
    """Translate greedily: encode once, then take step after step until the end token."""
    ids, room = [*encode(text), IDS["</s>"]], ENCODER.get_inputs()[0].shape[1]
    if len(ids) > room:
        raise SystemExit(f"{text!r} has {len(ids)} tokens, the model takes in at most {room}: cut it in two")
    types = {"tensor(int64)": np.int64, "tensor(float)": np.float32}
    values = {value.name: np.zeros(value.shape, types[value.type]) for value in STEP.get_inputs()}
    values |= run(ENCODER, {"input": np.array([ids + [IDS["<pad>"]] * (room - len(ids))])})
    values["input"] = np.array([[IDS["<s>"]]])
    found: list[int] = []
    while len(found) < values["past0.key"].shape[2] and (not found or found[-1] != IDS["</s>"]):
        values |= run(STEP, values)
        found.append(int(values["input"][0, 0]))
    tokens = {number: token for token, number in IDS.items() if not re.fullmatch("<.*>", token)}
    return "".join(tokens.get(number, "") for number in found).replace("▁", " ").strip()


if __name__ == "__main__":
    print(*map(translate, sys.argv[1:]), sep="\n")
