"""Where a profile is written, and the journal of its unfinished run."""

import pytest


@pytest.fixture
def out(tmp_path):
    return tmp_path / "p.jsonl"


@pytest.fixture
def journal(tmp_path):
    """The results journal of an unfinished run."""
    return tmp_path / "p.jsonl.building" / "results.jsonl"
