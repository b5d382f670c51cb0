import pytest
import typer

from gnomon.cli.options.period import milliseconds_of


@pytest.mark.parametrize(
    ("text", "ms"), [("33ms", 33.0), ("0.5 s", 500.0), ("1500us", 1.5), (".1s", 100.0), (None, None)]
)
def test_a_time_is_read_with_its_unit(text, ms):
    assert milliseconds_of(text) == ms


@pytest.mark.parametrize("text", ["33", "ms", "-1ms", "1e3ms", "33 min", "33ms please", ""])
def test_what_is_no_time_with_its_unit_is_refused(text):
    with pytest.raises(typer.BadParameter, match="expected a time with its unit"):
        milliseconds_of(text)
