"""What is given for a profile and is none is called by its name; what is counted twice is refused."""

import json
from pathlib import Path

import pytest

from gnomon.lut import ProfileRequest, build_profile, load_profile, write_table
from gnomon.lut.errors import ProfileDamaged, UnknownProfile
from gnomon.lut.profile_file.store import SHIPPED, shipped_profiles
from gnomon.outputs import OutputUnusable

PROFILE = SHIPPED / f"{shipped_profiles()[0]}.jsonl"
TEST_DATA = Path(__file__).parents[2]
RUN = TEST_DATA / "search" / "samples" / "run_v2"


@pytest.mark.parametrize(
    ("suffix", "said"), [("csv", "comma-separated values"), ("parquet", "a Parquet table"), ("yaml", "a YAML file")]
)
def test_a_table_is_called_by_its_kind_and_how_to_import_it(tmp_path, suffix, said):
    path = tmp_path / f"t.{suffix}"
    if suffix == "yaml":
        path.write_text("x:\n  mean: 1\n")
    else:
        write_table(load_profile(PROFILE), path)
    with pytest.raises(ProfileDamaged, match=f"t.{suffix} is .*{said}.*not a hardware profile.*gnomon lut import"):
        load_profile(path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (RUN, "is a run, not a hardware profile; look at it with gnomon pareto"),
        (RUN.parent, "is a folder, and a hardware profile is a file"),
    ],
)
def test_a_folder_is_called_by_its_kind(path, said):
    with pytest.raises(UnknownProfile, match=said):
        load_profile(path)


@pytest.mark.parametrize("path", [RUN / "run.json", RUN / "evaluations.jsonl", RUN / "start.jsonl"])
def test_a_file_of_a_run_is_called_so(path):
    with pytest.raises(ProfileDamaged, match=r"of a run|a run was started from"):
        load_profile(path)


def lines_of(kind):
    lines = PROFILE.read_text().splitlines()
    return lines, next((n for n, line in enumerate(lines) if json.loads(line)["record"] == kind), None)


@pytest.mark.parametrize("kind", ["network", "anchor", "layer", "header"])
def test_a_record_that_is_there_twice_is_refused_with_both_lines(tmp_path, kind):
    lines, at = lines_of(kind)
    (tmp_path / "p.jsonl").write_text("\n".join([*lines[: at + 1], *[lines[at]] * 50, *lines[at + 1 :]]) + "\n")
    with pytest.raises(ProfileDamaged, match=f"line {at + 2}: .* was on line {at + 1} already") as caught:
        load_profile(tmp_path / "p.jsonl")
    assert caught.value.line_number == at + 2


def test_a_network_of_the_same_genes_is_refused_under_another_name_too(tmp_path):
    lines, at = lines_of("network")
    renamed = json.dumps({**json.loads(lines[at]), "id": "00000000", "loops": 7})
    (tmp_path / "p.jsonl").write_text("\n".join([*lines[: at + 1], renamed, *lines[at + 1 :]]) + "\n")
    with pytest.raises(ProfileDamaged, match=f"line {at + 2}: network 00000000 was on line {at + 1}"):
        load_profile(tmp_path / "p.jsonl")


def test_a_place_that_cannot_be_written_does_not_speak_of_measurements_that_nobody_made(tiny, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputUnusable) as caught:
        build_profile(ProfileRequest("tiny", "fake", networks=12), tmp_path / "file" / "x.jsonl")
    assert "kept" not in str(caught.value)


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_somebody_else_s_is_not_measured_into_and_removed(tiny, quick_policy, tmp_path, force):
    (tmp_path / "p.jsonl.building").mkdir()
    (tmp_path / "p.jsonl.building" / "thesis.txt").write_text("years")
    request = ProfileRequest("tiny", "fake", networks=12, policy=quick_policy)
    with pytest.raises(OutputUnusable, match=r"building holds thesis\.txt"):
        build_profile(request, tmp_path / "p.jsonl", force=force)
    assert (tmp_path / "p.jsonl.building" / "thesis.txt").read_text() == "years"


@pytest.mark.slow
def test_a_file_that_appears_while_a_profile_is_measured_is_kept_and_so_is_what_was_measured(
    tiny, quick_policy, tmp_path
):
    request, out = ProfileRequest("tiny", "fake", networks=12, policy=quick_policy), tmp_path / "p.jsonl"

    def appear(event):
        out.write_text("years")

    with pytest.raises(OutputUnusable, match=r"p\.jsonl is there already, and is not a hardware profile"):
        build_profile(request, out, on_progress=appear)
    assert out.read_text() == "years"
    with pytest.raises(OutputUnusable, match="so it is not replaced"):
        build_profile(request, out, force=True)
    out.unlink()
    events = []
    build_profile(request, out, on_progress=events.append)
    assert events == []  # nothing was measured again
