import numpy as np
import pytest

from gnomon.supernets import DataUnavailable, load_space
from gnomon.supernets.data.home_assistant import WORDS_HELD_OUT, split_of, write_pairs
from gnomon.supernets.data.pairs import END_ID, PADDING_ID, SentencePairs, read_pairs
from gnomon.supernets.tasks import load_task


def test_embedded_sentences_are_those_held_out():
    task = load_task(load_space("translate_en_de"))
    assert (len(task.validation), len(task.test)) == (521, 490)
    for split, pairs in (("valid", task.validation), ("test", task.test)):
        assert {split_of(source) for source in pairs.sources} == {split}
        assert all(len(source.split()) in WORDS_HELD_OUT for source in pairs.sources)
    assert not set(task.validation.sources) & set(task.test.sources)


@pytest.mark.parametrize(
    "other", ["{name} has been turned off for {n} days", "{area} has been turned off for 12 days!"]
)
def test_sentences_that_differ_in_placeholders_alone_are_on_the_same_side(other):
    assert split_of("{entity_name} has been turned off for 3 days") == split_of(other)


def write_json(folder, component, english, german):
    place = folder / "homeassistant" / "components" / component / "translations"
    place.mkdir(parents=True)
    (place / "en.json").write_text(english, encoding="utf-8")
    (place / "de.json").write_text(german, encoding="utf-8")


def test_pairs_of_integrations_are_one_a_source_sentence(tmp_path):
    write_json(tmp_path, "a", '{"x": {"on": "Turned  on", "same": "Host"}}', '{"x": {"on": "An", "same": "Host"}}')
    write_json(tmp_path, "b", '{"on": "Turned on", "two": "a\\nb"}', '{"on": "Ein", "two": "c\\nd"}')
    write_json(tmp_path, "c", '{"on": "Turned on", "gone": "Gone"}', '{"on": "Ein"}')
    out = tmp_path / "out"
    out.mkdir()
    write_pairs(tmp_path, out)
    train = read_pairs(out, "train")
    assert (train.sources, train.targets) == (("Turned on",), ("Ein",))


def test_package_without_translations_is_refused(tmp_path):
    with pytest.raises(DataUnavailable, match="holds no homeassistant"):
        write_pairs(tmp_path, tmp_path)


def test_own_pairs_are_read_plain_or_gzipped(folder, pairs):
    assert read_pairs(folder, "test") == pairs
    assert read_pairs(folder, "valid") == pairs


def test_sides_of_unequal_length_are_refused(folder):
    (folder / "test.de").write_text("nur eine\n", encoding="utf-8")
    with pytest.raises(DataUnavailable, match=r"12 lines in test.en, 1 in test.de"):
        read_pairs(folder, "test")


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"\n\n"])
def test_absent_or_damaged_files_name_the_command_that_gets_them(folder, content):
    for language in ("en", "de"):
        (folder / f"test.{language}").unlink()
        if content is not None:
            (folder / f"test.{language}").write_bytes(content)
    with pytest.raises(DataUnavailable, match="gnomon data prepare home-assistant"):
        read_pairs(folder, "test")


def test_long_sentences_are_cut_and_counted(vocabulary):
    pairs = SentencePairs(("on", "The lamp is on. The lamp is on. The lamp is on."), ("an", "an"))
    whole = vocabulary.encode(pairs.sources[1])
    ids = pairs.source_ids(vocabulary, 8)
    assert ids.shape == (2, 8)
    assert list(ids[1]) == [*whole[:7], END_ID]
    assert ids[0, -1] == PADDING_ID
    assert pairs.cut(vocabulary, 8) == 1
    assert pairs.cut(vocabulary, len(whole) + 1) == 0
    assert pairs.fitting(vocabulary, 8, 8) == pairs.take(np.array([0]))
