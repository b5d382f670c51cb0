"""Shared by all tests: one thread a process, as tests run side by side on few cores; a tiny space, a fake backend."""

import importlib
import os
import shutil
import signal
import sys
import textwrap
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from gnomon.lut import ProfileRequest, build_profile, load_profile
from gnomon.lut.kernels.measuring.timing import time_kernels
from gnomon.lut.measuring import measure
from gnomon.profilers import RunConfig
from gnomon.profilers.timing.protocol import TimingPolicy
from gnomon.supernets.evaluation import classifier
from gnomon.supernets.layers import registry as layers
from gnomon.supernets.registry import load_space
from gnomon.supernets.tasks import fashion_mnist

settings.register_profile("gnomon", deadline=None)  # how long an example takes depends on what else the machine does
settings.load_profile("gnomon")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

FEW = 250  # images of a split
SPACE = """
    from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot

    def build():
        choices = (Choice("kernel", (3, 5)), Choice("expand", (2, 4)), Choice("depth", (1, 2, 3)))

        def block(position):
            def layer(kernel, expand, depth):
                if position > depth:
                    return None
                return LayerSpec.of("mbconv", (8, 8, 8), kernel=kernel, stride=1, mid_channels=8 * expand,
                                    out_channels=8, activation="relu", se_channels=0, residual=1)
            return layer

        stem = LayerSpec.of("stem", (1, 16, 16), kernel=3, stride=2, out_channels=8, activation="relu")
        head = LayerSpec.of("head", (8, 8, 8), final_channels=16, mix_channels=0, classes=10)
        blocks = [Slot.tabulate(f"block{n}", choices, ["kernel", "expand", "depth"], block(n)) for n in (1, 2, 3)]
        slots = (Slot("stem", (), (), (stem,)), *blocks, Slot("head", (), (), (head,)))
        return SearchSpace("tiny", "none", (1, 16, 16), choices, slots)
"""
BACKEND = """
    import hashlib, math, os, time
    from gnomon.profilers.errors import ModelRejected, UnsupportedConfig
    from gnomon.profilers.runtimes.ranges import fields_of
    from gnomon.profilers.testing_backend import FakeBackend

    GRAPH, INITIALIZER, DIMENSION = 7, 5, 1  # fields of a model, its graph, and a weight; onnx would load for long

    def script(model):
        '''Five microseconds a session and one a hundred weights; the environment makes it slow, picky or unable.'''
        time.sleep(float(os.environ.get("FAKE_SLEEP_S", "0")))
        if "FAKE_IS_UNABLE" in os.environ:
            raise UnsupportedConfig("the fake cannot do that here")
        if hashlib.sha256(model).hexdigest() in os.environ.get("FAKE_REFUSES", ""):
            raise ModelRejected("the fake does not like it")
        graphs = [graph for number, graph in fields_of(memoryview(model)) if number == GRAPH]
        weights = [value for graph in graphs for number, value in fields_of(graph) if number == INITIALIZER]
        sizes = [math.prod(size for number, size in fields_of(one) if number == DIMENSION) for one in weights]
        return [5.0 + sum(sizes) / 100]

    def open_backend():
        return FakeBackend(script)
"""


@pytest.fixture(autouse=True, scope="session")
def own_device_lock(tmp_path_factory):
    """Let the plans of tests that run side by side not wait for each other; what they time is not looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNOMON_DEVICE_LOCK", str(tmp_path_factory.mktemp("device") / "lock"))
        yield


@pytest.fixture(autouse=True, scope="session")
def models_are_timed_briefly():
    """Let one process time what is timed beside a profile, and wait for no quiet machine: tests run side by side."""
    brief = {"min_passes": 2, "max_passes": 3, "clean_blocks": 8, "processes": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "POLICY", replace(measure.POLICY, **brief))
        patch.setitem(time_kernels.__kwdefaults__, "policy", replace(time_kernels.__kwdefaults__["policy"], **brief))
        yield


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_reaches_children():
    """Restore SIGINT for whatever tests start, which inherits that it is ignored in a script's background."""
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if is_ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if is_ignored:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.fixture
def wait_until():
    """Return a function that waits until something is so, while a process is at work, for at most `deadline_s`."""

    def waited(is_so, process=None, deadline_s=120.0):
        deadline = time.monotonic() + deadline_s
        while not is_so():
            assert process is None or process.poll() is None, f"it ended before that, with {process.returncode}"
            assert time.monotonic() < deadline, f"waited {deadline_s} s in vain"
            time.sleep(0.01)

    return waited


@pytest.fixture
def steps():
    """Return a function that counts the instructions of Python that a call takes: they grow with a loop.

    What compiled code does inside one instruction counts as one.
    """

    def count(function, *arguments):
        executed = 0

        def trace(frame, event, _):
            nonlocal executed
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            executed += event == "opcode"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            function(*arguments)
        finally:
            sys.settrace(before)
        return executed

    return count


@pytest.fixture
def lines_in():
    """Return a function that counts the whole lines of a file, none where it is not there yet."""
    return lambda path: path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture
def send():
    """Return a function that sends a signal to a process, or its group, which must still be at work to be stopped."""

    def sent(process, number, *, to_group=False):
        assert process.poll() is None, f"it had ended by itself, with {process.returncode}, and was not stopped"
        if to_group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        if number == signal.SIGKILL:
            assert process.wait(timeout=60) == -signal.SIGKILL

    return sent


@pytest.fixture(scope="session")
def of_few_images():
    """Return a context in which this process evaluates fashion_mnist on a tenth of its images, where none counts."""

    @contextmanager
    def context():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fashion_mnist, "read_split", lambda *split: read_split(*split).take(slice(FEW)))
            patch.setattr(classifier, "ENOUGH", FEW)  # it says nothing of what we ask for
            yield

    read_split = fashion_mnist.read_split
    return context


@pytest.fixture
def few_images(of_few_images):
    """Let this test evaluate fashion_mnist on few images: what it says of their accuracy is not looked at."""
    with of_few_images():
        yield


def install(folder, name, entry_points, monkeypatch):
    """Make a third party's package of `folder` and of tests/third_party, for this process and its children."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    folders = [str(folder), str(Path(__file__).parent / "third_party")]
    for path in folders:
        monkeypatch.syspath_prepend(path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*folders, os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def install_backend(tmp_path, monkeypatch):
    """Return a function that makes a backend known by name, here and to child processes, from the module given."""

    def installed(name, source):
        site = tmp_path / "site"
        site.mkdir()
        (site / f"gnomon_{name}.py").write_text(source)
        install(site, f"gnomon-{name}", f"[gnomon.backends]\n{name} = gnomon_{name}:open_backend\n", monkeypatch)
        return name

    return installed


@pytest.fixture
def tiny(tmp_path_factory, monkeypatch):
    """A third party's space of twelve networks and its backend ``fake``, for this process and its children."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "tiny_space.py").write_text(textwrap.dedent(SPACE))
    (folder / "tiny_backend.py").write_text(textwrap.dedent(BACKEND))
    entry_points = (
        "[gnomon.spaces]\ntiny = tiny_space:build\npairs = pairs:build\n"
        "[gnomon.backends]\nfake = tiny_backend:open_backend\n"
    )
    install(folder, "tiny-space", entry_points, monkeypatch)
    load_space.cache_clear()
    yield load_space("tiny")
    load_space.cache_clear()


@pytest.fixture
def pairs(tiny, monkeypatch):
    """A third party's space of two parts and sixteen networks, with layer kinds of its own."""
    importlib.import_module("pairs").install_kinds(monkeypatch, layers)
    return load_space("pairs")


@pytest.fixture(scope="session")
def quick_policy():
    return TimingPolicy(
        block_us=200, warmup_us=200, blocks_per_visit=3, min_passes=2, max_passes=2, processes=1, network_visits=1
    )


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Return a function that makes a file or folder once for all processes of a test run; nobody changes it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once"
    folder.mkdir(exist_ok=True)

    def made(name, make):
        path, done = folder / name, folder / f"{name}.done"
        with FileLock(f"{path}.lock"):
            if not done.exists():
                make(path)
                done.touch()
        return path

    return made


@pytest.fixture
def measured(quick_policy, once, tmp_path):
    """Return a function that gives a space's profile on a backend, measured once, at `tmp_path` / p.jsonl."""

    def profile(space, backend, networks=12):
        request = ProfileRequest(space, backend, RunConfig(), networks=networks, policy=quick_policy)
        path = once(f"{space}.{backend}.{networks}.jsonl", lambda path: build_profile(request, path))
        return load_profile(shutil.copy(path, tmp_path / "p.jsonl"))

    return profile


@pytest.fixture
def digits(tmp_path_factory, monkeypatch):
    """A third party's task with a super-network and recipe for it, installed for this process and its children."""
    entry_points = (
        "[gnomon.tasks]\ndigits = digits_task\n"
        "[gnomon.spaces]\ndigits_net = digits_net:DigitsNet\n[gnomon.recipes]\ndigits_net = digits_net\n"
    )
    install(tmp_path_factory.mktemp("site"), "gnomon-digits", entry_points, monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    load_space.cache_clear()
    yield load_space("digits_net")
    load_space.cache_clear()


@pytest.fixture
def mixer(tmp_path_factory, monkeypatch):
    """A third party's super-network in plain torch with its recipe, installed for this process and its children."""
    entry_points = "[gnomon.spaces]\nmixer_net = mixer_net:MixerNet\n[gnomon.recipes]\nmixer_net = mixer_recipe\n"
    install(tmp_path_factory.mktemp("site"), "mixer-net", entry_points, monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    load_space.cache_clear()
    yield load_space("mixer_net")
    load_space.cache_clear()


@pytest.fixture
def torch_spaces(tmp_path_factory, monkeypatch):
    """Super-networks in plain torch that are no chains of images: the shipped examples, and third parties' own."""
    info = tmp_path_factory.mktemp("site") / "torch_spaces-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch-spaces\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[gnomon.spaces]\nkeyword_spotting = keyword_spotting:KeywordSpotting\n"
        "recommender = recommender:Recommender\nunet = unet:UNet\ndetector = detector:Detector\n"
    )
    root = Path(__file__).parent
    folders = [str(info.parent), str(root / "third_party"), str(root.parent / "supernets" / "examples")]
    for path in folders:
        monkeypatch.syspath_prepend(path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*folders, os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    load_space.cache_clear()
    yield load_space
    load_space.cache_clear()
