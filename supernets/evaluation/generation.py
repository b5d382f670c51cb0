"""Translate by a sub-network in torch: greedily, or by beam search. Whole batches, with keys and values kept.

Sentences are sorted by length and those that ended leave the batch, so that nobody waits for the longest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.pairs import END_ID, PADDING_ID, START_ID
from ..families.encoder_decoder import ENCODER, STEP
from ..layers.kinds.source_embedding import TABLE
from ..space.space import Architecture

if TYPE_CHECKING:
    from torch import Tensor

    from ..elastic import ElasticNetwork

BATCH = 128
STATE = ("memory", "past")  # what the names of the sides begin with that belong to a sentence

Sides = dict[str, "Tensor"]


def start_of(network: ElasticNetwork) -> int:
    """Return the id that translations begin behind."""
    return network.table(TABLE).start_id(START_ID)


def greedy(
    network: ElasticNetwork, architecture: Architecture, sources: NDArray[np.int64], target: int
) -> NDArray[np.int64]:
    """Return the likeliest token after the likeliest ..., up to `target` of them, for sources (n, tokens): (n, target).

    A translation ends with its end token, if it fits; padding follows.
    """
    import torch

    found = np.full((len(sources), target), PADDING_ID, np.int64)
    with torch.inference_mode():
        for rows in batches(sources):
            ids, sides = torch.from_numpy(rows_of(sources, rows)), Sides()
            network(ids, architecture, part=ENCODER, sides=sides)
            sides = state_of(sides)
            alive, last = rows, torch.full((len(rows), 1), start_of(network))
            for step in range(target):
                last = stepped(network, architecture, last, step, sides).argmax(1, keepdim=True)
                found[alive, step] = last[:, 0].numpy()
                going = (last[:, 0] != END_ID).nonzero()[:, 0]
                if not len(going):
                    break
                if len(going) < len(alive):
                    alive, last = alive[going.numpy()], last[going]
                    sides = chosen(sides, going)
    return found


def beam(
    network: ElasticNetwork,
    architecture: Architecture,
    sources: NDArray[np.int64],
    target: int,
    *,
    width: int,
    length_penalty: float = 1.0,
) -> NDArray[np.int64]:
    """Return the best of `width` translations kept side by side, (n, target), for sources (n, tokens).

    The best has the highest log-probability over its length to the power of `length_penalty`.
    """
    import torch

    found = np.full((len(sources), target), PADDING_ID, np.int64)
    with torch.inference_mode():
        for rows in batches(sources, max(1, BATCH // width)):
            ids, sides = torch.from_numpy(rows_of(sources, rows)), Sides()
            network(ids, architecture, part=ENCODER, sides=sides)
            after, first = partial(stepped, network, architecture), torch.full((len(rows), 1), start_of(network))
            kept = beam_batch(after, state_of(sides), first, target, width=width, length_penalty=length_penalty)
            found[rows] = kept.numpy()
    return found


def beam_batch(
    after: Callable[[Tensor, int, Sides], Tensor],
    sides: Sides,
    first: Tensor,
    target: int,
    *,
    width: int,
    length_penalty: float,
) -> Tensor:
    """Search for n sentences whose memory is in `sides`, behind the tokens `first` (n, 1); returns (n, target).

    `after` returns the logits after the last tokens, at a position, with what is in the sides.
    """
    import torch

    n = len(first)
    sides = chosen(sides, torch.arange(n).repeat_interleave(width))
    tokens = torch.full((n, width, target), PADDING_ID)
    scores = torch.full((n, width), -torch.inf)
    scores[:, 0] = 0.0  # all hypotheses are the same at first
    lengths = torch.zeros((n, width))
    ended = torch.zeros((n, width), dtype=torch.bool)
    last = first.repeat_interleave(width, dim=0)
    for step in range(target):
        logits = after(last, step, sides).log_softmax(1).view(n, width, -1)
        stay = torch.full_like(logits, -torch.inf)
        stay[..., PADDING_ID] = 0.0  # what has ended goes on with padding, at no cost
        totals = scores[..., None] + torch.where(ended[..., None], stay, logits)
        counts = lengths + ~ended
        ranked = (totals / counts[..., None] ** length_penalty).flatten(1).topk(width, dim=1).indices
        origin, token = ranked // logits.shape[2], ranked % logits.shape[2]
        scores = totals.flatten(1).gather(1, ranked)
        tokens = tokens.gather(1, origin[..., None].expand(-1, -1, target)).clone()
        tokens[..., step] = token
        lengths, ended = counts.gather(1, origin), ended.gather(1, origin) | (token == END_ID)
        if bool(ended.all()):
            break
        sides = chosen(sides, (origin + torch.arange(n)[:, None] * width).flatten())
        last = token.reshape(-1, 1)
    best = (scores / lengths**length_penalty).argmax(1)
    return tokens[torch.arange(n), best]


def stepped(network: ElasticNetwork, architecture: Architecture, last: Tensor, step: int, sides: Sides) -> Tensor:
    """Return the logits after the tokens `last` (batch, 1) at position `step`, (batch, vocabulary)."""
    import torch

    sides["position"] = torch.full_like(last, step)
    logits: Tensor = network(last, architecture, part=STEP, sides=sides)
    return logits[:, 0]


def batches(sources: NDArray[np.int64], size: int = BATCH) -> list[NDArray[np.int64]]:
    """Return the positions of the sources in batches of similar length."""
    order = np.argsort(-(sources != PADDING_ID).sum(1), kind="stable")
    return [order[first : first + size] for first in range(0, len(order), size)]


def rows_of(sources: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return sources without the padding that all of them have."""
    ids = sources[rows]
    return np.ascontiguousarray(ids[:, : max(1, int((ids != PADDING_ID).sum(1).max()))])


def state_of(sides: Sides) -> Sides:
    """Return the sides that belong to a sentence."""
    return {name: value for name, value in sides.items() if name.startswith(STATE)}


def chosen(sides: Sides, rows: Tensor) -> Sides:
    """Return the state of the sentences at `rows`, in this order."""
    return {name: value[rows] for name, value in state_of(sides).items()}
