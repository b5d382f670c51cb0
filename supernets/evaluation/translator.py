"""A super-network that translates: its sub-networks are judged by BLEU of greedy decoding on a fixed hold-out.

A source sentence with more tokens than the space has room for is cut to what fits, and counted: `described_input` and
the exported record say how many of the test sentences were. The exported translator refuses such a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.labelled import rows_of_share, split_of
from ..data.pairs import END_ID, PADDING_ID, START_ID, SentencePairs, TranslationTask
from ..errors import CheckpointMismatch
from ..families.encoder_decoder import target_of
from ..graph import INPUT, OUTPUT, PartModel, models_from_architecture
from ..layers.graph_builder import NEXT
from ..layers.kinds.source_embedding import TABLE
from ..metric import BLEU, Answers, Metric, Runner
from ..precision import FP32, at_precision, precisions, runner_at, weight_bits_here
from ..precision.samples import Sample
from ..space.space import Architecture, SearchSpace
from .bleu import corpus_bleu, signature
from .generation import beam, greedy, start_of

if TYPE_CHECKING:
    from ..elastic import ElasticNetwork

SCRIPT = Path(__file__).parents[1] / "examples" / "translate.py"
RANGE_SENTENCES = 32  # that the ranges of int8 are taken from


@dataclass(frozen=True)
class Translator:
    """Weights of all sub-networks of `space`, and the `task` that evaluates them.

    `target_weight_bits` are those that int8 weights have for the device that they are for; None: for this machine.
    """

    space: SearchSpace
    network: ElasticNetwork
    task: TranslationTask
    checkpoint_sha256: str
    target_weight_bits: int | None = None

    def __post_init__(self) -> None:
        table, vocabulary = self.network.table(TABLE), self.task.vocabulary
        trained, rows = table.vocabulary_sha256, len(table.weight)
        if trained and trained != vocabulary.sha256:
            raise CheckpointMismatch(
                f"the weights were trained with the vocabulary of sha256 {trained[:16]}..., the task's has "
                f"{vocabulary.sha256[:16]}...; put theirs into the folder of the data as vocabulary.json",
                tensor=f"shared.{TABLE}.digest",
            )
        if len(vocabulary) > rows:
            raise CheckpointMismatch(
                f"the vocabulary has {len(vocabulary)} tokens, {self.space.name} has room for {rows}",
                tensor=f"shared.{TABLE}.weight",
            )

    @property
    def metric(self) -> Metric:
        """Return BLEU, with the signature of how it is computed."""
        return replace(BLEU, signature=signature())

    @property
    def target(self) -> int:
        """Return the most tokens of a translation."""
        return target_of(self.space)

    @property
    def precisions(self) -> tuple[str, ...]:
        """Return the precisions that sub-networks can be had in."""
        return precisions()

    @property
    def calibration(self) -> dict[str, Any]:
        """Say which sentences the ranges of int8 are taken from."""
        return {"split": "validation", "examples": min(RANGE_SENTENCES, self.size("validation"))}

    @property
    def weight_bits(self) -> int:
        """Return the bits of the weights of int8 files."""
        return self.target_weight_bits or weight_bits_here()

    def with_weight_bits(self, weight_bits: int | None) -> Translator:
        """Return the same with so many bits for the weights of int8 files."""
        return replace(self, target_weight_bits=weight_bits)

    def evaluate(
        self, architecture: Architecture, split: str = "validation", share: float = 1.0, *, precision: str = FP32
    ) -> float:
        """Return the sub-network's BLEU on a share of a split, "validation" or "test".

        The sentences of a share are the same for every architecture; a larger share contains a smaller. At a
        `precision` other than fp32 the very files that `models` makes translate, one sentence at a time; raises
        PrecisionUnavailable where this machine cannot.
        """
        pairs = self.split(split)
        pairs = pairs if share >= 1.0 else pairs.take(rows_of_share(len(pairs), share))
        if precision == FP32:
            return self.bleu(self.translated(architecture, pairs), pairs)
        encoder, step = (runner_at(part.model, precision) for part in self.models(architecture, precision=precision))
        ids = [decoded(encoder, step, source, self.target, start_of(self.network)) for source in self.sources(pairs)]
        return self.bleu(np.array(ids, np.int64), pairs)

    def translate(self, architecture: Architecture, texts: Sequence[str], *, beam_width: int = 1) -> list[str]:
        """Return the translations of `texts`, greedily or by beam search; sentences that are too long are cut."""
        sources = self.sources(SentencePairs(tuple(texts), tuple(texts)))
        if beam_width > 1:
            ids = beam(self.network, architecture, sources, self.target, width=beam_width)
        else:
            ids = greedy(self.network, architecture, sources, self.target)
        return [self.task.vocabulary.decode(row) for row in ids]

    def translated(self, architecture: Architecture, pairs: SentencePairs) -> NDArray[np.int64]:
        """Return the ids of greedy translations in torch, (n, target)."""
        return greedy(self.network, architecture, self.sources(pairs), self.target)

    def bleu(self, ids: NDArray[np.int64], pairs: SentencePairs) -> float:
        """Return the BLEU of translations of the first pairs."""
        return corpus_bleu([self.task.vocabulary.decode(row) for row in ids], pairs.targets[: len(ids)])

    def sources(self, pairs: SentencePairs) -> NDArray[np.int64]:
        """Return what the encoder takes in, (n, tokens)."""
        return pairs.source_ids(self.task.vocabulary, self.space.input_shape[0])

    def split(self, name: str) -> SentencePairs:
        """Return the pairs of a split; raises DataUnavailable for a name other than validation and test."""
        return split_of(self.task, name)

    def models(self, architecture: Architecture, *, batch: int = 1, precision: str = FP32) -> tuple[PartModel, ...]:
        """Return the encoder and the decoder's step as ONNX models.

        The ranges of int8 are those of translating 32 validation sentences in fp32. Raises SupernetError for an unknown
        precision.
        """
        weights = self.network.folded(architecture, {})
        parts = models_from_architecture(self.space, architecture, weights, batch=batch)
        if precision == FP32:
            return parts
        sampled = models_from_architecture(self.space, architecture, weights)
        seen = [Recorder(runner_at(part.model, FP32)) for part in sampled]
        for source in self.sources(self.task.validation.take(slice(RANGE_SENTENCES))):
            decoded(seen[0], seen[1], source, self.target, start_of(self.network))
        bits = self.target_weight_bits
        return tuple(
            replace(
                part,
                model=at_precision(part.model, precision, recorder.samples, sampled=one.model, weight_bits=bits),
            )
            for part, one, recorder in zip(parts, sampled, seen)
        )

    def size(self, split: str) -> int:
        """Count the pairs of a split."""
        return len(self.split(split))

    def answers(self, architecture: Architecture, split: str, first: int | None = None) -> Answers:
        """Return the ids of torch's translations, (n, target), of the `first` sentences of a split (None: all)."""
        return Answers((self.translated(architecture, self.split(split).take(slice(first))),))

    def answers_from(self, runners: Sequence[Runner], split: str, first: int | None = None) -> Answers:
        """Return what the exported models translate the same sentences to, one at a time."""
        encoder, step = runners
        sources = self.sources(self.split(split).take(slice(first)))
        return Answers(
            (np.array([decoded(encoder, step, ids, self.target, start_of(self.network)) for ids in sources], np.int64),)
        )

    def score(self, answers: Answers, split: str) -> float:
        """Return the BLEU of answers to the first sentences of a split."""
        return self.bleu(answers.arrays[0], self.split(split))

    def described_input(self) -> dict[str, Any]:
        """Say how a sentence becomes the encoder's input."""
        vocabulary, tokens = self.task.vocabulary, self.space.input_shape[0]
        return {
            "name": INPUT,
            "tokens": tokens,
            "vocabulary_sha256": vocabulary.sha256,
            "start_id": start_of(self.network),
            "end_id": END_ID,
            "padding_id": PADDING_ID,
            "longest_translation": self.target,
            "test_sentences_cut": self.task.test.cut(vocabulary, tokens),
        }

    def companions(self) -> dict[str, bytes]:
        """Return the vocabulary, and a script that translates by it and the models."""
        return {"vocabulary.json": self.task.vocabulary.content, "translate.py": script_for(start_of(self.network))}


def script_for(start: int) -> bytes:
    """Return the script that translates by exported models, beginning behind the token `start`."""
    script = SCRIPT.read_bytes()
    return script if start == START_ID else script.replace(b'IDS["<s>"]', str(start).encode())


@dataclass(frozen=True, slots=True)
class Recorder:
    """A runner that keeps what it is given."""

    inner: Runner
    samples: list[Sample] = field(default_factory=list)

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each input."""
        return self.inner.input_shapes

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run it once."""
        self.samples.append(dict(inputs))
        return self.inner(inputs)


def decoded(
    encoder: Runner, step: Runner, source: NDArray[np.int64], target: int, start: int = START_ID
) -> NDArray[np.int64]:
    """Return the ids of the greedy translation of `source` (tokens,) by two models, (target,).

    Their values flow by name: what the encoder puts out, and each output x.next as x of the next run. Caches begin
    with zeros, which no token sees.
    """
    found = np.full(target, PADDING_ID, np.int64)
    values: dict[str, NDArray[Any]] = {
        name: np.zeros(shape, np.float32) for name, shape in step.input_shapes.items() if name.startswith("past")
    }
    values |= encoder({INPUT: source[None]}) | {INPUT: np.array([[start]]), "position": np.zeros((1, 1), np.int64)}
    for number in range(target):
        outputs = step({name: values[name] for name in step.input_shapes})
        values |= {name.removesuffix(NEXT): value for name, value in outputs.items() if name != OUTPUT}
        found[number] = values[INPUT][0, 0]
        if found[number] == END_ID:
            break
    return found
