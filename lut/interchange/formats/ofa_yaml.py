"""Once-for-All's MobileNetV3 latency tables in YAML: `key: {count, mean, std}`, mean and std in milliseconds.

How the two name layers (theirs: ofa/nas/efficiency_predictor/latency_lookup_table.py of mit-han-lab/once-for-all):

    stem    Conv-input:HxWx3-output:hxwxC
    mbconv  expanded_conv-input:HxWxC-output:hxwxO-expand:MID-kernel:K-stride:S-idskip:R-se:0|1-hs:0|1
    head    Conv_1-..., AvgPool2D-..., Conv_2-... and Logits-..., whose times add up to the head's

Layers of ours that it cannot express: a head without mixing convolution, a stem that is not 3x3, stride 2 and hswish,
squeeze of another width than a quarter, activations other than relu and hswish. Keys of theirs that name no layer of
ours: keys without se and hs (MobileNetV2, whose `expand` is a ratio), ResNet's, and a head of which a part is missing.

The text is read as a stream of YAML events: nothing is constructed from it, aliases (with which a small file can
expand to gigabytes) are refused, and so is a key that comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ....profilers.files import read_file, read_text_file
from ....profilers.journal import write_atomically
from ...errors import TableUnreadable
from ...lint.finding import spec_of
from ...profile_file.profile import HardwareProfile
from ..ofa_keys import layers_from_ofa, ofa_keys_of
from ..table import Exchange, Row, rows_of

SUFFIXES = (".yaml", ".yml")

MARK = "# written by gnomon lut export"
LARGEST_BYTES = 10_000_000  # the published tables have 15,000
US_PER_MS = 1000.0


def write(profile: HardwareProfile, path: Path) -> tuple[str, ...]:
    """Write the layers that have a key there, and return the keys of the others.

    A head's time is apportioned to its four keys by their work, since only the sum was measured; `apportioned` marks
    these. Raises TableUnreadable when not a single layer has a key.
    """
    lines, without = [], []
    for row in rows_of(profile):
        spec = spec_of(row.key)
        shares = {} if spec is None else ofa_keys_of(spec)
        if not shares:
            without.append(row.key)
        for key, share in shares.items():
            mark = {"apportioned": "true"} if len(shares) > 1 else {}
            fields = {**mark, "count": str(row.visits), "mean": repr(row.value_us * share / US_PER_MS)}
            lines.append((key, [f"{key}:", *(f"  {name}: {value}" for name, value in fields.items())]))
    if not lines:
        raise TableUnreadable(f"no layer of {profile.header.space} has a key in Once-for-All's tables")
    write_atomically(path, "\n".join([MARK, *(line for _, entry in sorted(lines) for line in entry)]) + "\n")
    return tuple(without)


def is_ours(path: Path) -> bool:
    """Tell whether `write` wrote the file, by its first line."""
    return read_file(path).startswith(MARK.encode() + b"\n")


def read(path: Path) -> Exchange:
    """Return rows, and the keys that name no layer here; raises TableUnreadable, naming the line.

    A head's row appears when all its four parts are there, with the smallest of their counts. `std` is of means, not a
    range of ours, and is not taken over.
    """
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise TableUnreadable(f"{path} has {size:,} bytes; a latency table has at most {LARGEST_BYTES:,}")
    found = {key: entry_of(fields, where) for key, where, fields in entries(path)}
    layers, unmapped = layers_from_ofa(tuple(found))
    rows = []
    for spec, keys in layers.items():
        counts = [count for count in (found[key][1] for key in keys) if count is not None]
        total_ms = sum(found[key][0] for key in keys)
        rows.append(Row(spec.key, total_ms * US_PER_MS, None, min(counts, default=None)))
    return Exchange(tuple(rows), {}, unmapped)


def entry_of(fields: dict[str, str], where: str) -> tuple[float, int | None]:
    """Return an entry's mean in milliseconds and its count; raises TableUnreadable."""
    try:
        count = fields.get("count")
        return float(fields["mean"]), None if count is None else int(count)
    except (KeyError, ValueError) as error:
        raise TableUnreadable(f"{where}: found {fields}; expected mean: milliseconds, and perhaps count") from error


def entries(path: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield (key, where it stands, its fields as text) of a mapping of mappings; raises TableUnreadable otherwise."""
    import yaml

    text = read_text_file(path)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it is: ten times as fast
    depth, key, where, name = 0, None, "", None
    fields: dict[str, str] = {}
    seen: set[str] = set()
    try:
        for event in yaml.parse(text, Loader=loader):
            at = f"{path}, line {event.start_mark.line + 1}"
            if isinstance(event, yaml.MappingStartEvent):
                depth += 1
                if depth > 2 or (depth == 2 and key is None) or event.anchor:
                    raise TableUnreadable(f"{at}: expected a mapping of keys to plain fields, without anchors")
                fields, name = {}, None
            elif isinstance(event, yaml.MappingEndEvent):
                depth -= 1
                if depth == 1 and key is not None:
                    yield key, where, fields
                    key = None
            elif isinstance(event, yaml.ScalarEvent) and depth == 1 and key is None:
                key, where = event.value, at
                if key in seen:
                    raise TableUnreadable(f"{at}: {key} comes twice; a table has one entry a key")
                seen.add(key)
            elif isinstance(event, yaml.ScalarEvent) and depth == 2 and name is None:
                name = event.value
            elif isinstance(event, yaml.ScalarEvent) and depth == 2 and name is not None:
                fields[name], name = event.value, None
            elif isinstance(event, (yaml.NodeEvent, yaml.SequenceEndEvent)):
                raise TableUnreadable(f"{at}: found {type(event).__name__}; expected `key:`, mean and count below")
    except yaml.YAMLError as error:
        raise TableUnreadable(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not seen:
        raise TableUnreadable(f"{path} holds no entry; expected keys such as Conv-input:224x224x3-output:112x112x16")
