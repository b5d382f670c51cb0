"""Translation from English to German, judged by BLEU of greedy decoding (sacrebleu, arXiv 1804.08771).

The package ships a sample: the held-out sentences of Home Assistant's texts (see home_assistant.py), 521 for
validation and 490 for test, and the vocabulary of the weights that ship. A folder of pairs, one's own or what
`gnomon data prepare home-assistant` gets, replaces the sentences; a `vocabulary.json` in it replaces the vocabulary.
"""

from __future__ import annotations

from pathlib import Path

from ..data.pairs import TranslationTask, read_pairs
from ..data.vocabulary import Vocabulary
from ..errors import DataUnavailable
from ..metric import BLEU
from ..space.space import SearchSpace
from ..weight_files import SHIPPED

EMBEDDED = Path(__file__).parents[1] / "data" / "samples" / "home_assistant"
METRIC = BLEU
OWN_VOCABULARY = "vocabulary.json"


def load(space: SearchSpace, folder: Path | None = None) -> TranslationTask:
    """Load the embedded sample, or the pairs in `folder`; raises DataUnavailable."""
    validation, test = (read_pairs(folder or EMBEDDED, split) for split in ("valid", "test"))
    return TranslationTask("translation", validation, test, vocabulary_for(space, folder))


def vocabulary_for(space: SearchSpace, folder: Path | None) -> Vocabulary:
    """Return the folder's vocabulary, or the one that ships with the space's weights; raises DataUnavailable."""
    own = folder / OWN_VOCABULARY if folder else None
    if own is not None and own.exists():
        return Vocabulary.from_file(own)
    shipped = SHIPPED / f"{space.name.partition(':')[0]}.vocabulary.json"
    if not shipped.exists():
        raise DataUnavailable(
            f"no vocabulary ships for {space.name}; put the one of its weights into the folder of the data "
            f"as {OWN_VOCABULARY}, and pass the folder as `data`"
        )
    return Vocabulary.from_file(shipped)
