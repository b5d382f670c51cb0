"""Settings of a search as a TOML file."""

from gnomon.search import SearchConfig


def test_settings_round_trip_through_toml(gnomon, tmp_path):
    from gnomon.cli.options.settings_file import read_settings
    from gnomon.search import SearchConfig

    path = tmp_path / "search.toml"
    arguments = ("--budget", 7, "--constraint", "latency<=2ms", "--save-config", path)
    assert gnomon("search", "--out", tmp_path / "run", *arguments).code == 0
    assert SearchConfig.model_validate(read_settings(path)) == SearchConfig(
        space="fashion_mnist", budget=7, constraints=("latency<=2ms",)
    )
    assert not (tmp_path / "run").exists()


def test_new_settings_survive_toml(gnomon, tmp_path):
    from gnomon.cli.options.settings_file import read_settings

    path = tmp_path / "search.toml"
    arguments = ("--algorithm", "smsemoa", "--region", "latency<=2ms", "--save-config", path)
    assert gnomon("search", "--out", tmp_path / "run", *arguments).code == 0
    assert SearchConfig.model_validate(read_settings(path)) == SearchConfig(
        space="fashion_mnist", algorithm="smsemoa", region=("latency<=2ms",)
    )
