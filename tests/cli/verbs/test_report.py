"""`gnomon report`: one HTML file about profiles and runs."""


def test_a_report_of_a_profile_is_written_once_and_replaced_when_asked(gnomon, profile_name, tmp_path):
    out = tmp_path / "deep" / "r.html"
    written = gnomon("report", profile_name, "-o", out)
    assert written.code == 0
    assert written.out == f"report   {out}\n"
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    again = gnomon("report", profile_name, "-o", out)
    assert again.code == 2
    assert "replace it with --force" in again.err
    assert gnomon("report", profile_name, "-o", out, "--force").code == 0


def test_what_is_neither_profile_nor_run_is_an_error_in_one_line(gnomon, tmp_path):
    outcome = gnomon("report", "nowhere", "-o", tmp_path / "r.html")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "no profile at nowhere" in outcome.err
    assert not (tmp_path / "r.html").exists()
