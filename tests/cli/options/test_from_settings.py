"""Options that are made from settings: their help, their bounds, and which of them were given."""

import pytest

from gnomon.search.runs.run import load_run

SMALL = ("--tactic", "random", "--budget", 3, "--population", 3, "--objectives", "macs, params")


def test_help_says_what_a_setting_is_for_and_what_it_is_unless_given(gnomon):
    shown = " ".join(gnomon("search", "--help").out.split())
    assert "Full validations over which --stop-gain looks at the gain. [default: 20]" in shown
    assert "--constraint" in shown
    assert "[default: accuracy,latency]" in shown
    for verb in (("profile",), ("bundle", "create")):
        shown = " ".join(gnomon(*verb, "--help").out.split())
        assert "Whole networks that correct and verify the table. [default: 30]" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("search", "--budget", "0", "--out", "x"), "--budget 0: expected a finite number, at least 1"),
        (("search", "--partial-share", "1.5", "--out", "x"), "--partial-share 1.5: expected a finite number, above 0"),
        (("profile", "--networks", "9", "--out", "x"), "--networks 9: expected a finite number, at least 10"),
        (("bundle", "create", "--batch", "0", "--out", "x"), "--batch 0: expected a finite number, at least 1"),
        (("bundle", "run", "x", "--threads", "0"), "--threads 0: expected a finite number, at least 1"),
    ],
)
def test_a_number_out_of_bounds_is_refused_alike_in_every_verb(gnomon, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    outcome = gnomon(*arguments)
    assert (outcome.code, list(tmp_path.iterdir())) == (2, [])
    assert said in outcome.err


def test_an_option_goes_before_the_file_of_settings_and_a_default_does_not(gnomon, tmp_path):
    path = tmp_path / "search.toml"
    assert gnomon("search", *SMALL, "--seed", 5, "--save-config", path, "--out", tmp_path / "run").code == 0
    outcome = gnomon("search", "--config", path, "--budget", 4, "--out", tmp_path / "run")
    assert outcome.code == 0, outcome.err
    config = load_run(tmp_path / "run").config
    assert (config.budget, config.population, config.seed, config.tactic) == (4, 3, 5, "random")
    assert config.objectives == ("macs", "params")
