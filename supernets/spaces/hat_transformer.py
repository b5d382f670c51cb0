"""The transformer super-networks of HAT (arXiv 2005.14187), as their authors' files of search spaces give them.

40 genes, that of the encoder's depth, six, having no choice: embedding widths 512 and 640, feed-forward networks,
heads on queries of width 512 whatever their number, one to six decoder layers, attention to the last one to three
encoder layers. WMT14 has one vocabulary for both languages; IWSLT14 De-En, a smaller network, two. No weights ship.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import UnknownSpace
from ..families.encoder_decoder import EncoderDecoder
from ..registry import full_name
from ..space.space import SearchSpace

QUERY_WIDTH = 512
JOINT_VOCABULARY = 32768
IWSLT_SOURCE, IWSLT_TARGET = 8848, 6632  # 10,000 joint merges, counted in each language
DEFAULTS: dict[str, object] = {
    "source": 32,
    "target": 48,
    "steps": 30,
    "task": "wmt14",
    "choices": "search",
    "vocabulary": JOINT_VOCABULARY,
}


def head_dim(heads: int) -> int:
    """Return the width of one of so many heads."""
    return QUERY_WIDTH // heads


WMT = EncoderDecoder(
    vocabulary=JOINT_VOCABULARY,
    encoder_widths=(512, 640),
    decoder_widths=(512, 640),
    hidden=(1024, 2048, 3072),
    heads=(4, 8),
    encoder_layers=6,
    decoder_layers=(1, 2, 3, 4, 5, 6),
    attended=(1, 2, 3),
    head_dim=head_dim,
    depth_gene=True,
)
FAMILIES = {
    "wmt14": WMT,
    "iwslt14": replace(
        WMT, vocabulary=IWSLT_SOURCE, target_vocabulary=IWSLT_TARGET, hidden=(512, 1024, 2048), heads=(2, 4)
    ),
}
LATENCY = {"hidden": (512, 1024, 2048, 3072), "heads": (2, 4, 8)}  # wider: what latency predictors are trained on
CHOICES: dict[str, dict[str, tuple[int, ...]]] = {"search": {}, "latency": LATENCY}


def build(
    source: int = 32,
    target: int = 48,
    steps: int = 30,
    task: str = "wmt14",
    choices: str = "search",
    vocabulary: int = JOINT_VOCABULARY,
) -> SearchSpace:
    """Build the space for sentences of `source` tokens, a cache of `target`, latency of `steps` decoder steps.

    30 is the length that the authors measure latency for. `choices=latency` is the wider space that they sample
    latencies from. `vocabulary` is that of other data of WMT. Raises UnknownSpace for values that are not there.
    """
    given: dict[str, object] = {"source": source, "target": target, "steps": steps, "task": task, "choices": choices}
    for name, value, known in (("task", task, FAMILIES), ("choices", choices, CHOICES)):
        if value not in known:
            raise UnknownSpace(f"hat_transformer has no {name}={value}; it has {', '.join(known)}")
    if vocabulary < 4 or (task == "iwslt14" and vocabulary != JOINT_VOCABULARY):
        raise UnknownSpace(
            f"hat_transformer:task={task} with vocabulary={vocabulary}; wmt14 takes 4 or more, iwslt14 has its own"
        )
    family = replace(FAMILIES[task], **CHOICES[choices])  # type: ignore[arg-type]
    if task == "wmt14":
        family = replace(family, vocabulary=vocabulary)
    name = full_name("hat_transformer", DEFAULTS, {**given, "vocabulary": vocabulary})
    judged = "none" if family.target_vocabulary else "translation"  # whose task has one vocabulary
    return family.space(name, judged, source=source, target=target, steps=steps)
