"""Training data of translation: smoothed cross-entropy of each next token given the true ones before (teacher forcing).

A batch is of sentences of about one length, so that little of it is padding: pairs are put into a random order, sorted
by length in stretches of many batches, and cut into batches, which are then shuffled. A phase's augmentation settings
are `dropout`, and `unknown`: the share of tokens, on both sides, that the network does not get to see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Generator, Tensor
from torch.nn import functional

from ...data.pairs import END_ID, PADDING_ID, START_ID, SentencePairs, padded
from ...data.vocabulary import SPECIAL, UNKNOWN, Vocabulary
from ...elastic import ElasticNetwork
from ...evaluation.bleu import corpus_bleu
from ...evaluation.generation import greedy
from ...families.encoder_decoder import ENCODER, STEP
from ...layers.kinds.source_embedding import TABLE
from ...space.space import Architecture
from ..recipe import Phase, Recipe

STRETCH = 20  # batches' worth of sentences that are sorted together


@dataclass(frozen=True)
class TranslationBatch:
    """Ids of sources (batch, tokens) and of what the decoder reads (batch, tokens), and the share to drop."""

    sources: Tensor
    read: Tensor
    dropout: float


@dataclass(frozen=True)
class TranslationTrainingData:
    """Pairs to train on and pairs held out; the metric is BLEU of greedy decoding."""

    training: SentencePairs
    validation: SentencePairs
    vocabulary: Vocabulary
    source: int
    target: int
    label_smoothing: float = 0.1
    metric_name: str = field(default="bleu", init=False)

    @property
    def augmentations(self) -> Mapping[str, float]:
        """Return the settings of a phase that are read here, and what each means without a value."""
        return {"dropout": 0.1, "unknown": 0.1}

    def described(self) -> Mapping[str, int | float | str]:
        """Return the numbers of pairs, the vocabulary's digest and the smoothing."""
        return {
            "label_smoothing": self.label_smoothing,
            "training_pairs": len(self.training),
            "training_pairs_too_long": len(self.training) - len(self.ids[0]),
            "validation_pairs": len(self.validation),
            "vocabulary_sha256": self.vocabulary.sha256,
        }

    @cached_property
    def ids(self) -> tuple[list[list[int]], list[list[int]]]:
        """The training pairs that fit, as ids with their ends."""
        fitting = self.training.fitting(self.vocabulary, self.source, self.target)
        sources, targets = (
            [[*self.vocabulary.encode(text), END_ID] for text in side] for side in (fitting.sources, fitting.targets)
        )
        return sources, targets

    def steps(self, recipe: Recipe) -> int:
        """Return the number of batches: what is left over is not seen in that epoch."""
        return len(self.ids[0]) // recipe.batch

    def batches(
        self, recipe: Recipe, phase: Phase, epoch: int, generator: Generator
    ) -> Iterator[tuple[TranslationBatch, Tensor]]:
        """Yield batches with the tokens to predict (batch, tokens)."""
        sources, targets = self.ids
        steps, size = self.steps(recipe), recipe.batch
        order = torch.randperm(len(sources), generator=generator)[: steps * size].tolist()
        groups = []
        for first in range(0, len(order), STRETCH * size):
            stretch = sorted(order[first : first + STRETCH * size], key=lambda i: len(targets[i]) + len(sources[i]))
            groups += [stretch[start : start + size] for start in range(0, len(stretch), size)]
        for group in torch.randperm(len(groups), generator=generator).tolist():
            chosen = groups[group]
            source = torch.from_numpy(padded([sources[i] for i in chosen]))
            target = torch.from_numpy(padded([targets[i] for i in chosen]))
            read = functional.pad(target[:, :-1], (1, 0), value=START_ID)
            unknown = phase.setting("unknown")
            source, read = (self.masked(ids, unknown, generator) for ids in (source, read))
            yield TranslationBatch(source, read, phase.setting("dropout")), target

    def masked(self, ids: Tensor, share: float, generator: Generator) -> Tensor:
        """Return ids with a share of the tokens, special ones apart, unknown."""
        hidden = (torch.rand(ids.shape, generator=generator) < share) & (ids >= len(SPECIAL))
        return torch.where(hidden, SPECIAL.index(UNKNOWN), ids)

    def forward(self, network: ElasticNetwork, inputs: TranslationBatch, architecture: Architecture) -> Tensor:
        """Return the logits of every target token, (batch, tokens, vocabulary)."""
        self.stamp(network)
        sides: dict[str, Tensor] = {}
        network(inputs.sources, architecture, part=ENCODER, sides=sides, dropout=inputs.dropout)
        outputs: Tensor = network(inputs.read, architecture, part=STEP, sides=sides, dropout=inputs.dropout)
        return outputs

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy with smoothed labels, a mean over tokens that are not padding."""
        return functional.cross_entropy(
            outputs.flatten(0, 1), targets.flatten(), ignore_index=PADDING_ID, label_smoothing=self.label_smoothing
        )

    def distillation(self, outputs: Tensor, teacher_outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean of the cross-entropies with the teacher's probabilities and with the labels."""
        counted = (targets != PADDING_ID).flatten()
        soft = teacher_outputs.flatten(0, 1)[counted].softmax(1)
        student = outputs.flatten(0, 1)[counted]
        hard = functional.cross_entropy(student, targets.flatten()[counted], label_smoothing=self.label_smoothing)
        return 0.5 * functional.cross_entropy(student, soft) + 0.5 * hard

    def metric(self, network: ElasticNetwork, architecture: Architecture) -> float:
        """Return the BLEU of greedy translations of the held-out pairs."""
        self.stamp(network)
        sources = self.validation.source_ids(self.vocabulary, self.source)
        translations = greedy(network, architecture, sources, self.target)
        return corpus_bleu([self.vocabulary.decode(row) for row in translations], self.validation.targets)

    def stamp(self, network: ElasticNetwork) -> None:
        """Note in the network which vocabulary it learns."""
        network.table(TABLE).stamp(self.vocabulary.sha256)
