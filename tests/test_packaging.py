"""What pip installs: the wheel is built of the source distribution, and used where there is no checkout."""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from gnomon.supernets.packages import EXTRAS, install_command, module_of

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = ("api", "cli", "lut", "profilers", "reports", "search", "supernets")
PLATFORM_BOUND = {"tensorrt", "tensorrt_rtx", "onnxruntime_openvino"}  # from another index, or for x86-64 Linux alone
OTHER_NAMES = {"tensorrt_rtx", "onnxruntime_ep_openvino"}  # modules of packages that are called otherwise
NOT_SOURCE = shutil.ignore_patterns(".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hyp*")
USER = """
import gnomon
from gnomon.search import SearchConfig
from gnomon.supernets.testing import TaskContract

profile = gnomon.load_profile("here.jsonl")
reveal_type(profile)
reveal_type(SearchConfig(space="fashion_mnist"))
reveal_type(TaskContract)
gnomon.load_profile(3)
"""


def ran(*command, **more):
    found = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the source distribution of this tree, and the wheel that was built of it."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, folder / "tree", ignore=NOT_SOURCE)
    ran(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, folder / "tree", env=clean_environment())
    return folder


def clean_environment():
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The Python of an environment with the wheel, and beside it what is installed here but Gnomon."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    ran(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel)
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.mark.slow
def test_the_source_distribution_is_the_whole_project(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    kept = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "constraints.txt", "py.typed"}
    for folder in ("tests", "docs", "benchmarks", *PACKAGES, "hardware_profiles", "schemas"):
        paths = [path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()]
        kept |= {str(path) for path in paths if not {"__pycache__", ".cache"} & set(path.parts)}
    assert kept - names == set()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    images = set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", readme))
    assert images <= names


@pytest.mark.slow
def test_the_wheel_is_the_package_its_data_and_licences_alone(built):
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = {Path(name).parts[1] for name in names if name.startswith("gnomon/") and len(Path(name).parts) > 2}
    assert folders == {*PACKAGES, "hardware_profiles", "schemas"}
    assert wheel.stat().st_size < 10_000_000
    assert "gnomon/py.typed" in names
    for folder in ("assets", "templates"):
        files = [path.relative_to(ROOT) for path in (ROOT / "reports" / "html" / folder).iterdir()]
        assert files
        assert {f"gnomon/{path.as_posix()}" for path in files} <= names
    assert {"LICENSE", "LICENSE-fashion-mnist", "LICENSE-home-assistant"} <= {
        Path(name).name for name in names if ".dist-info/licenses/" in name
    }


@pytest.mark.slow
def test_it_runs_where_there_is_no_checkout(installed, tmp_path):
    environment = clean_environment()
    place = ran(installed, "-c", "import gnomon; print(gnomon.__file__)", cwd=tmp_path, env=environment)
    assert Path(place.strip()).is_relative_to(installed.parents[1])
    script = installed.with_name("gnomon")
    assert "fashion_mnist" in ran(script, "spaces", cwd=tmp_path, env=environment)
    profile = ran(script, "lut", "list", cwd=tmp_path, env=environment)
    assert "fashion_mnist/" in profile
    assert "accuracy" in ran(script, "evaluate", "fashion_mnist", "--arch", "smallest", cwd=tmp_path, env=environment)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_users_of_mypy_get_our_types(installed, tmp_path):
    (tmp_path / "mine.py").write_text(USER)
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", installed, "mine.py"]
    found = subprocess.run(command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True)
    errors = [line for line in found.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1, found.stdout + found.stderr
    assert 'Argument 1 to "load_profile" has incompatible type "int"' in errors[0]
    for known in (
        "gnomon.lut.profile_file.profile.HardwareProfile",
        "gnomon.search.config.SearchConfig",
        "TaskContract",
    ):
        assert re.search(rf"Revealed type is .*{known}", found.stdout), found.stdout


def test_messages_name_the_packages_of_the_extras():
    extras = PROJECT["optional-dependencies"]
    assert {name: tuple(extras[name]) for name in EXTRAS} == EXTRAS
    assert install_command("sklearn.svm") == install_command("pymoo")
    assert install_command("PIL.Image").endswith("'pillow>=10.3'")
    assert install_command("gnomon_unknown") is None
    here = [module_of(packages[0]) for packages in EXTRAS.values()]
    assert all(find_spec(module) for module in here if module != "openvino"), here


def test_all_is_what_installs_anywhere():
    extras = PROJECT["optional-dependencies"]

    def reached(extra):
        nested = re.findall(r"gnomon\[(.*?)\]", " ".join(one for one in extras[extra] if ";" not in one))
        inner = [name for listed in nested for name in listed.split(",")]
        return {extra, *inner, *(found for name in inner for found in reached(name))}

    assert not reached("all") & PLATFORM_BOUND
    assert reached("all") >= set(EXTRAS)


@pytest.mark.slow
def test_every_package_that_the_product_imports_is_declared():
    extras = [one for extra in PROJECT["optional-dependencies"].values() for one in extra]
    declared = re.findall(r"[\w-]+(?=>=)", " ".join([*PROJECT["dependencies"], *extras]))
    names = {module_of(name) for name in declared} | {"gnomon", *OTHER_NAMES}
    imported = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    imported.add((node.module or "").partition(".")[0])
    assert imported - set(sys.stdlib_module_names) - names == set()
    always = {module_of(one) for one in PROJECT["dependencies"]}
    assert always <= imported, "a dependency that nothing imports"


def test_no_message_and_no_page_tells_to_install_an_extra_of_a_published_gnomon():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.name != "packages.py"]
    for path in [*pages, *sources]:
        assert not re.search(r"pip install ['\"]?gnomon\b", path.read_text(encoding="utf-8")), path
