"""Training data of text classification: cross-entropy on the labels, students on the teacher's softened probabilities.

Batches are made of texts of like length, so that little padding is computed: shuffled texts are sorted by length within
some batches' worth, and the batches shuffled again. A phase's augmentation setting `word_dropout` is the share of
tokens that are replaced by the unknown one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from ...data.labelled import batches_to_run, top1_percent
from ...data.text import LabelledText
from ...elastic import ElasticNetwork
from ...space.space import Architecture
from ..recipe import Phase, Recipe
from .classification import Classification

SORTED_TOGETHER = 16  # batches
EVALUATED_TOGETHER = 64


@dataclass(frozen=True)
class TextTrainingData(Classification):
    """Texts to train on and texts held out; the metric is top-1 accuracy in percent.

    `temperature` softens the predictions that students learn from (arXiv 1503.02531).
    """

    training: LabelledText
    validation: LabelledText
    label_smoothing: float = 0.0
    temperature: float = 2.0
    metric_name: str = "accuracy"

    @property
    def augmentations(self) -> Mapping[str, float]:
        """Return the settings of a phase that are read here, and what each means without a value."""
        return {"word_dropout": 0.1}

    def described(self) -> Mapping[str, int | float | str]:
        """Return the numbers of texts, the losses' settings and the tokenizer's digest."""
        return {
            "label_smoothing": self.label_smoothing,
            "temperature": self.temperature,
            "training_texts": len(self.training),
            "validation_texts": len(self.validation),
            "tokens": self.training.tokenisation.tokens,
            "tokenizer_sha256": self.training.tokenisation.sha256,
        }

    def batches(
        self, recipe: Recipe, phase: Phase, epoch: int, generator: Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield ids (batch, longest of the batch) and labels (batch,)."""
        lengths = torch.from_numpy(self.training.lengths())
        ids, labels = torch.from_numpy(self.training.ids), torch.from_numpy(self.training.labels)
        order = torch.randperm(len(ids), generator=generator)[: self.steps(recipe) * recipe.batch]
        chunks = [
            chunk[lengths[chunk].argsort(stable=True)] for chunk in torch.split(order, SORTED_TOGETHER * recipe.batch)
        ]
        batches = torch.cat(chunks).reshape(-1, recipe.batch)
        for chosen in batches[torch.randperm(len(batches), generator=generator)]:
            batch = ids[chosen, : int(lengths[chosen].max())]
            yield self.with_unknown(batch, phase.setting("word_dropout"), generator), labels[chosen]

    def with_unknown(self, ids: Tensor, share: float, generator: Generator) -> Tensor:
        """Return ids with that share of the words made unknown; what stands for no word stays."""
        chosen = torch.rand(ids.shape, generator=generator) < share
        tokenisation = self.training.tokenisation
        is_word = ~torch.isin(ids, torch.tensor((tokenisation.padding, *tokenisation.special_ids)))
        return ids.masked_fill(chosen & is_word, tokenisation.unknown_id)

    def distillation(self, outputs: Tensor, teacher_outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy with the teacher's softened probabilities, scaled to the gradient of a hard one."""
        t = self.temperature
        return functional.cross_entropy(outputs / t, (teacher_outputs / t).softmax(1)) * t * t

    def metric(self, network: ElasticNetwork, architecture: Architecture) -> float:
        """Return top-1 on the held-out texts in percent."""
        order, batches = batches_to_run(self.validation, EVALUATED_TOGETHER)
        logits = network.logits_of(batches, architecture, {})
        return top1_percent(logits.numpy(), self.validation.labels[order])
