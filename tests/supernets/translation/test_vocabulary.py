import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from gnomon.supernets import DataUnavailable, load_space
from gnomon.supernets.data.vocabulary import SPECIAL, Vocabulary, learned
from gnomon.supernets.tasks.translation import vocabulary_for

SHIPPED = vocabulary_for(load_space("translate_en_de"), None)
THEIRS = Tokenizer.from_str(SHIPPED.content.decode())
LETTERS = "abcdeEnrst äöüß{}_.,:;'\"!?0123▁Ω\n\té"


@given(st.text(LETTERS, max_size=40) | st.text(max_size=20))
@settings(max_examples=300, deadline=None)
def test_ids_are_those_of_the_tokenizers_package(text):
    assume(not any(token in text for token in SPECIAL))  # which the package reads out of a text; ours takes it as it is
    assert SHIPPED.encode(text) == THEIRS.encode(text).ids


@given(st.lists(st.text("abcdeginrstäöü.,{}_", min_size=1, max_size=9), min_size=1, max_size=6))
def test_text_survives(words):
    text = " ".join(words)
    assert SHIPPED.decode(SHIPPED.encode(text)) == text


def test_decoding_stops_at_the_end_and_leaves_special_tokens_out():
    ids = SHIPPED.encode("Gerät")
    assert SHIPPED.decode([1, *ids, 3, 2, *ids, 0]) == "Gerät"


def test_spaces_room_is_the_vocabularys():
    assert len(SHIPPED) == 4000
    assert [SHIPPED.ids[token] for token in SPECIAL] == [0, 1, 2, 3]


def test_learned_vocabulary_covers_its_text(vocabulary, pairs):
    assert len(vocabulary) <= 70
    for text in (*pairs.sources, *pairs.targets):
        assert vocabulary.decode(vocabulary.encode(text)) == text


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", json.dumps({"model": {"vocab": 3, "merges": []}}).encode()])
def test_other_files_are_refused(content):
    with pytest.raises(DataUnavailable, match="no vocabulary"):
        Vocabulary(content)


def test_vocabulary_without_the_special_tokens_in_front_is_refused():
    with pytest.raises(DataUnavailable, match="must begin with the tokens <pad>"):
        Vocabulary(json.dumps({"model": {"vocab": {"a": 0}, "merges": []}}).encode())


def test_absent_vocabulary_says_how_to_make_one(tmp_path):
    with pytest.raises(DataUnavailable, match="learned"):
        Vocabulary.from_file(tmp_path / "none.json")
    with pytest.raises(DataUnavailable, match=r"vocabulary\.json"):
        vocabulary_for(load_space("hat_transformer"), tmp_path)


def test_ids_that_no_token_has_are_left_out(tmp_path):
    (tmp_path / "words").write_text("light on\nlight off\n")
    vocabulary = learned([tmp_path / "words"], 40)
    ids = list(vocabulary.encode("light on"))
    assert vocabulary.decode([*ids[:1], len(vocabulary.ids) + 5, *ids[1:]]) == vocabulary.decode(ids)
