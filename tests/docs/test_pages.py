"""What README and docs ask a reader to type works, in the order of the page, in one folder.

Searches, profiles and trainings are shortened and images few, since what counts here is that the page is right. A
command that takes hardware, a download or hours is named in `NOT_RUN` with the reason. Of those, and of what the prose
mentions, the verb and the options must exist.
"""

import functools
import io
import re
from contextlib import redirect_stdout

import pytest
from pages import PAGES, ROOT, SNIPPETS

from gnomon.cli.main import VERBS, run

FOLDERS = ("benchmarks", "supernets", "profilers", "lut", "search", "reports", "cli", "tests")
GROUPS = ("lut", "data", "runs", "bundle", "space")  # verbs of which the second word is a verb as well
BOARD, GPU, DOWNLOAD, WEIGHTS, ELSEWHERE = (
    "takes a device that is not here",
    "takes TensorRT",
    "downloads a package",
    "takes weights that do not ship with the package",
    "runs in tests/cli/test_own_task.py",
)
LARGE = "measures the hundreds of layers of a large space; README's profile is the same command"
NOT_RUN = {
    "--device ssh://": BOARD,
    "bundle import pi.zip": BOARD,
    "fleet fleet.toml": BOARD,
    "--backend tensorrt": GPU,
    "--target sm": GPU,
    "--backend openvino:gpu": BOARD,
    "--backend onnxruntime:openvino": "takes a processor that the plugin knows",
    "--objectives accuracy,energy": "takes a machine with an energy counter",
    "energy=True": "takes a machine with an energy counter",
    "--operators": "takes the device that the profile is of",
    "data prepare": DOWNLOAD,
    "ofa_mbv3_d234_e346_k357_w1.0": WEIGHTS,
    "profile --space bert_minilm": LARGE,
    "profile translate_en_de": LARGE,
    "train bert_minilm": WEIGHTS,
    "evaluate bert_minilm": WEIGHTS,
    "--profile bert.jsonl": WEIGHTS,
    "export runs/text": WEIGHTS,
    "train efficientnet_lite0": WEIGHTS,
    "train mixer_net": WEIGHTS,
    "--space mixer_net --profile": WEIGHTS,
    "--track ": "takes a tracker; tests/reports/test_trackers.py searches with each",
    "--executor ray": "starts a Ray cluster, as tests/search/test_ray.py does",
    "profile --refresh": "its answer depends on the hour; tests/cli/verbs/test_refresh.py has a device that moves",
    "profile --kernels": "takes minutes; tests/cli/verbs/test_predict_model.py measures a small one",
    "gnomon.profile_kernels(": "takes minutes; tests/test_public_api.py runs a shorter example",
    "bundle import pi-onnxruntime-t4.zip": BOARD,
    "bundle create --kernels": "tests/cli/verbs/test_bundle.py makes a small one",
    "--model detector.onnx": "runs in tests/cli/verbs/test_predict_model.py",
    "digits_net": ELSEWHERE,
    "runs/digits": ELSEWHERE,
}
CODE_ELSEWHERE = {"spaces.md": "tests/test_docs_spaces.py", "tasks.md": "tests/test_docs_tasks.py"}
SHORTER = [(r"--budget \d+", "--budget 4"), (r"budget=\d+", "budget=4"), (r"sample\(1_000_000", "sample(1_000")]
ADDED = {"search": "--budget 4", "profile": "--networks 10", "train": "--epochs 1"}
AS_README = ("tutorial-profile.md", "tutorial-search.md")  # what they share with README, word by word, is typed there
COMMANDS = [snippet for found in SNIPPETS.values() for snippet in found if snippet.language == "command"]


def stage_profile_and_run(stage):
    stage.profile("here.jsonl")
    stage.run("runs/first")


def stage_search(stage):
    stage_profile_and_run(stage)
    for name in ("pi5.jsonl", "PI5.jsonl", "XEON.jsonl", "ort.fp32.jsonl"):
        stage.profile(name)
    stage.profile("ort.int8.jsonl", "--precision", "int8")
    stage.profile("openvino.int8.t2.jsonl", "--backend", "openvino", "--threads", "2")  # in fp32: int8 takes longer


def stage_pairs(stage):
    (stage.folder / "pairs").mkdir()
    for split, count in (("train", 200), ("valid", 20), ("test", 20)):
        for language, word in (("en", "light"), ("de", "Licht")):
            lines = [f"{word} {number} of {split}" for number in range(count)]
            (stage.folder / "pairs" / f"{split}.{language}").write_text("\n".join(lines) + "\n")


def stage_report(stage):
    stage.profile("here.jsonl")
    stage.run("runs/first")
    stage.shipped("there.jsonl", "fashion_mnist/")


STAGE = {
    "tutorial-profile.md": lambda stage: stage.profile("here.jsonl"),
    "tutorial-export.md": stage_profile_and_run,
    "README.md": lambda stage: stage.shipped("there.jsonl", "fashion_mnist/"),
    "devices.md": lambda stage: stage.profile("here.jsonl"),
    "report.md": stage_report,
    "search.md": stage_search,
    "tutorial-search.md": stage_profile_and_run,
    "translation.md": stage_pairs,
}


def reason_not_run(snippet):
    return next((reason for part, reason in NOT_RUN.items() if part in snippet.text), None)


def shortened(text):
    for pattern, shorter in SHORTER:
        text = re.sub(pattern, shorter, text)
    for verb, option in ADDED.items():
        if f"gnomon {verb}" in text and option.split()[0] not in text:
            text = f"{text.partition('  #')[0]} {option}"
    return text


def is_typed(snippet):
    """Tell whether a reader types this: it is shown in a block, or README gives it with its arguments."""
    if snippet.language == "python" and snippet.page in CODE_ELSEWHERE:
        return False
    if snippet.page in AS_README and snippet.text in {one.text for one in SNIPPETS["README.md"]}:
        return False
    whole = snippet.page == "README.md" and snippet.language == "command" and len(snippet.words) > 2
    return (snippet.shown or whole) and reason_not_run(snippet) is None


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [path.name for path in PAGES if any(map(is_typed, SNIPPETS[path.name]))])
def test_what_is_typed_in_order_works(page, mixer, stage, capsys, few_images):
    if page in STAGE:
        STAGE[page](stage)
    names = {"__name__": "__main__"}
    for snippet in filter(is_typed, SNIPPETS[page]):
        if snippet.language == "python":
            exec(compile(shortened(snippet.text), str(snippet), "exec"), names)  # our own page
            continue
        capsys.readouterr()
        code = run(snippet.words_of(shortened(snippet.text)))
        assert code == 0, f"{snippet}: {snippet.text}\n{capsys.readouterr().err}"


@functools.cache
def help_of(*verb):
    with redirect_stdout(io.StringIO()) as shown:
        assert run([*verb, "--help"]) == 0
    return shown.getvalue()


@pytest.mark.parametrize(
    "snippet", [s for found in SNIPPETS.values() for s in found if s.language == "command"], ids=str
)
def test_verbs_and_options_exist(snippet):
    words = [word.rstrip(",;.") for word in snippet.words]
    assert words[0] in VERBS
    offered = help_of(*words[: 2 if words[0] in GROUPS and len(words) > 1 else 1])
    for option in (word.partition("=")[0] for word in words if word.startswith("--")):
        assert option in offered, option


def test_every_exception_is_of_use():
    assert all((ROOT / test).exists() for test in (*CODE_ELSEWHERE.values(), ELSEWHERE.split()[-1]))
    everything = "\n".join(snippet.text for found in SNIPPETS.values() for snippet in found)
    assert [part for part in NOT_RUN if part not in everything] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_resolve(path):
    text = path.read_text(encoding="utf-8")
    for target in set(re.findall(r"\]\(([^)\s]+)\)", text)):
        file, _, anchor = target.partition("#")
        if file.startswith("https://"):
            continue
        linked = path.parent / file if file else path
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, target


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_files_and_folders_that_are_named_exist(path):
    for name in re.findall(rf"`((?:{'|'.join(FOLDERS)})/(?:[\w/]+\.py|[\w/]*/)?)`", path.read_text(encoding="utf-8")):
        assert re.search(r"[A-Z]{2}", name) or (ROOT / name).exists(), name


def test_the_package_layout_has_every_sub_package():
    layout = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for package in ("supernets", "profilers", "lut", "search"):
        rooms = re.search(rf"^{package}/ .*\n((?:  .*\n)+)", layout, re.MULTILINE)[1]
        drawn = set(re.findall(r"(\w+)/(?= |$)", rooms, re.MULTILINE))
        assert drawn == {child.parent.name for child in (ROOT / package).glob("*/*.py")}


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
