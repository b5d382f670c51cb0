"""What do ten, twenty or thirty measured networks say about all others, and do the 90 % intervals hold?

    python benchmarks/few_networks.py --profile P [P ...] --hat CSV [CSV ...] [--draws 60]

Of each table, networks are drawn at random, the latency model is fitted to them, and the rest is predicted: with the
measured layers of a profile and without. A profile should hold many networks (`gnomon profile --networks 120`). A CSV
is one of HAT's latency data sets (latency_dataset/*.csv of its repository; a file name that holds iwslt is read in the
smaller vocabulary). It gives means over layers instead of genes; the layers are those of any network with these means,
because the sums of physical quantities are the same, and encoder and decoder are added.

All networks of a table were measured by the same processes, so intervals are without the term for other processes.
Beside the model that is chosen stands one that is no candidate: the larger of a line over layers (launches) and one
over MACs (arithmetic), fitted to the same networks by least absolute error (`two_regimes.py`).
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from environment import print_environment
from numpy.typing import NDArray
from two_regimes import two_regimes_us

import gnomon
from gnomon.lut import LatencyModel, LatencyTable
from gnomon.lut.latency_model.verification import mape_percent, spearman
from gnomon.profilers.timing.measurement import Measurement
from gnomon.supernets import SearchSpace, load_space

FITTED = (10, 20, 30)
LEAST_TESTED = 20
US_A_MS = 1e3


class Table:
    """Whole networks with their latencies, and the measured layers, where there are any."""

    def __init__(
        self, name: str, space: SearchSpace, layers: LatencyTable, rows: NDArray[np.int64], measured: list[Measurement]
    ) -> None:
        self.name, self.space, self.layers, self.rows, self.measured = name, space, layers, rows, measured
        self.truth_us = np.array([one.value_us for one in measured])

    def drawn(self, n: int, rng: np.random.Generator) -> tuple[float, ...]:
        """Fit `n` networks; return a row of the table: percent inside and half the interval come last."""
        order = rng.permutation(len(self.rows))
        known, rest = order[:n], order[n:]
        measured = [self.measured[i] for i in known]
        model = LatencyModel.fit(self.space, self.layers, self.rows[known], measured, between_sessions=0.0)
        found, truth_us = model.predict(self.rows[rest]), self.truth_us[rest]
        two_us = two_regimes_us(self.space, self.rows[known], self.truth_us[known], self.rows[rest])
        return (
            model.report.mape_percent or np.nan,
            mape_percent(found.value_us, truth_us),
            spearman(found.value_us, truth_us) or np.nan,
            mape_percent(two_us, truth_us),
            spearman(two_us, truth_us) or np.nan,
            100 * float(np.mean((found.low_us <= truth_us) & (truth_us <= found.high_us))),
            100 * float(np.median(found.ratio) - 1),
        )


def main() -> None:
    """Compare all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", type=Path, nargs="+", default=[])
    parser.add_argument("--hat", type=Path, nargs="+", default=[])
    parser.add_argument("--draws", type=int, default=60)
    arguments = parser.parse_args()
    print_environment()
    print(f"{arguments.draws} draws each; +- is the standard error of the mean over draws")
    print(f"{'table':42s}{'fitted':>7s}{'tested':>7s}{'said %':>8s}{'MAPE %':>8s}{'Spearman':>10s}", end="")
    print(f"{'two regimes':>18s}{'inside %':>16s}{'+- %':>8s}")
    for table in tables(arguments.profile, arguments.hat):
        for n in FITTED:
            if len(table.rows) - n < LEAST_TESTED:
                continue
            rng = np.random.default_rng(n)
            figures = np.array([table.drawn(n, rng) for _ in range(arguments.draws)])
            said, true, rank, two, two_rank, inside, _ = figures.mean(axis=0)
            error = figures[:, 5].std() / len(figures) ** 0.5
            print(f"{table.name:42s}{n:7d}{len(table.rows) - n:7d}{said:8.1f}{true:8.1f}{rank:10.3f}", end="")
            print(f"{two:10.1f}{two_rank:8.3f}", end="")
            print(f"{inside:9.1f} +- {error:3.1f}{np.median(figures[:, 6]):8.1f}", flush=True)


def tables(profiles: list[Path], data_sets: list[Path]) -> Iterator[Table]:
    """Read all tables."""
    nothing = LatencyTable({}, {})
    for path in profiles:
        profile = gnomon.load_profile(path)
        rows, measured = np.array([one.indices for one in profile.networks]), list(profile.network_measurements)
        yield Table(f"{path.stem}, with layers", profile.space, profile.table, rows, measured)
        yield Table(f"{path.stem}, networks alone", profile.space, nothing, rows, measured)
    for path in data_sets:
        task = "iwslt14" if "iwslt" in path.stem else "wmt14"
        space = load_space(f"hat_transformer:source=30,task={task},choices=latency")
        with path.open(encoding="utf-8", newline="") as lines:
            records = list(csv.DictReader(lines))
        total_ms = [float(one["latency_mean_encoder"]) + float(one["latency_mean_decoder"]) for one in records]
        measured = [Measurement(((US_A_MS * ms,),), loops=1) for ms in total_ms]
        yield Table(path.stem, space, nothing, np.array([genes(space, one) for one in records]), measured)


def genes(space: SearchSpace, record: dict[str, str]) -> list[int]:
    """Return the indices (d,) of a network with the means of a record of HAT's."""
    options = {choice.name: choice.options for choice in space.choices}
    encoder_layers, decoder_layers = int(record["encoder_layer_num"]), int(record["decoder_layer_num"])
    values: dict[str, object] = {
        "encoder_width": int(record["encoder_embed_dim"]),
        "decoder_width": int(record["decoder_embed_dim"]),
        "encoder_depth": encoder_layers,
        "decoder_depth": decoder_layers,
    }
    for family, column, layers in (
        ("encoder_ffn", "encoder_ffn_embed_dim_avg", encoder_layers),
        ("decoder_ffn", "decoder_ffn_embed_dim_avg", decoder_layers),
        ("attended", "decoder_arbitrary_ende_attn_avg", decoder_layers),
    ):
        total = round(float(record[column]) * layers)
        for layer, value in enumerate(with_total(total, options[f"{family}.1"], layers), 1):
            values[f"{family}.{layer}"] = value
    return [options[name].index(values.get(name, options[name][0])) for name in options]


def with_total(total: int, options: tuple[int, ...], count: int) -> list[int]:
    """Return `count` of the options that add up to `total`, largest first; raises ValueError where none do."""
    if count == 0:
        return []
    for option in sorted(options, reverse=True):
        rest = total - option
        if min(options) * (count - 1) <= rest <= max(options) * (count - 1):
            return [option, *with_total(rest, options, count - 1)]
    raise ValueError(f"no {count} of {options} add up to {total}: not a record of HAT's wider space")


if __name__ == "__main__":
    main()
