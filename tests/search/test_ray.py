"""Workers on a real Ray cluster of several nodes on this machine: killed, lost, out of memory, failing, hanging."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gnomon.search import SearchConfig, Workers, load_run, search_in_context, worker_pool
from gnomon.search.errors import InvalidConfig, WorkersUnavailable
from gnomon.search.executors import ray as executor
from gnomon.search.testing.contracts import AnalyticSupernet, fake_context

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves sockets and files of its processes open
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
]

STORE_BYTES = 80 * 2**20
CONFIG = SearchConfig(space="fashion_mnist", objectives=("accuracy", "macs"), budget=16, tactic="random", population=4)
DRIVER = """
import sys
from gnomon.search import SearchConfig, Workers, search_in_context
from gnomon.search.testing.contracts import fake_context
folder, config, address = sys.argv[1:]
config = SearchConfig.model_validate_json(config)
workers = Workers("ray://" + address, workers=2)
search_in_context(fake_context(seconds=0.1), config, folder, provenance={}, workers=workers)
"""


@dataclass(frozen=True)
class Beset(AnalyticSupernet):
    """Meets with the accident that `accidents` name for an architecture; a file in `marks` says that it began.

    On the node `doomed` it never ends, and elsewhere not before it has begun there.
    """

    accidents: tuple = ()
    marks: str = ""
    doomed: str = ""

    def evaluate(self, architecture, split, share=1.0, *, precision="fp32"):
        import ray

        node, name = ray.get_runtime_context().get_node_id(), architecture.id
        mark = Path(self.marks) / f"{name}.{node}.{time.time_ns()}"
        is_first = not list(Path(self.marks).glob(f"{name}.*"))
        mark.touch()
        match dict(self.accidents).get(architecture.indices):
            case "raises":
                raise ValueError("no such kernel")
            case "no memory":
                bytearray(2**60)
            case "always killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "killed once" if is_first:
                os.kill(os.getpid(), signal.SIGKILL)
            case "hangs once" if is_first:
                time.sleep(3600)
        while self.doomed and (node == self.doomed or not list(Path(self.marks).glob(f"*.{self.doomed}.*"))):
            time.sleep(0.02)
        value = super().evaluate(architecture, split, share)
        mark.rename(mark.with_name(mark.name + ".done"))
        return value


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two nodes of one CPU, which this process has joined."""
    ray = executor.ray_quietly()
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={**node(), "include_dashboard": False})
    started.add_node(**node())
    started.wait_for_nodes()
    ray.init(address=started.address, log_to_driver=False, logging_level="ERROR")
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield started
    ray.shutdown()
    started.shutdown()


def node():
    return {"num_cpus": 1, "object_store_memory": STORE_BYTES}


@pytest.fixture(scope="module")
def here(search, tmp_path_factory):
    """What this process measures by itself."""
    return search(tmp_path_factory.mktemp("here") / "run")


def beset(folder, marks, accidents=(), doomed=""):
    marks.mkdir(exist_ok=True)
    context = fake_context()
    supernet = Beset(context.space, accidents=tuple(accidents), marks=str(marks), doomed=doomed)
    return lambda workers=2, **options: search_in_context(
        replace(context, supernet=supernet), CONFIG, folder, provenance={}, workers=Workers("ray", workers), **options
    )


def test_one_worker_measures_what_this_process_does(tmp_path, cluster, search):
    config = CONFIG.model_copy(update={"tactic": "gnomon", "budget": 8})
    there, here = search(tmp_path / "there", config, workers=Workers("ray", 1)), search(tmp_path / "here", config)
    assert [(e.indices, e.values, e.expected, e.share) for e in there.evaluations] == [
        (e.indices, e.values, e.expected, e.share) for e in here.evaluations
    ]


def test_accidents_of_workers_are_recorded_or_overcome(tmp_path, cluster, here, monkeypatch):
    monkeypatch.setattr(worker_pool, "LOSSES", 2)
    rows = [evaluation.indices for evaluation in here.evaluations]
    accidents = {2: "raises", 4: "killed once", 6: "always killed", 8: "no memory", 15: "hangs once"}
    run = beset(tmp_path / "run", tmp_path / "marks", ((rows[n], name) for n, name in accidents.items()))()
    assert run.cost == CONFIG.budget
    assert {e.indices for e in run.evaluations} == set(rows)
    said = {rows.index(e.indices): e.failed for e in run.failures}
    assert sorted(said) == [2, 6, 8]
    assert said[2] == "ValueError: no such kernel"
    assert said[6].startswith("lost 2 workers, the last one: ActorDiedError: ")
    assert said[8].startswith("MemoryError")
    values = {e.indices: e.values for e in here.evaluations}
    assert all(e.values == values[e.indices] for e in run.evaluations if e.failed is None)
    began = [path.name.partition(".")[0] for path in (tmp_path / "marks").iterdir()]
    tries = {n: began.count(here.evaluations[n].id) for n in (0, *accidents)}
    assert tries == {0: 1, 2: 2, 4: 2, 6: 2, 8: 2, 15: 2}
    assert load_run(tmp_path / "run") == run


def test_a_node_that_dies_takes_nothing_with_it(tmp_path, cluster):
    ray = executor.ray_quietly()
    doomed = cluster.add_node(**node())
    cluster.wait_for_nodes()
    marks, killed = tmp_path / "marks", []

    def kill(*_):
        busy = list(marks.glob(f"*.{doomed.node_id}.*"))
        if killed or not busy:
            return
        assert {one["NodeID"]: one["Alive"] for one in ray.nodes()}[doomed.node_id]
        cluster.remove_node(doomed, allow_graceful=False)
        killed.append(busy[0].name.partition(".")[0])

    run = beset(tmp_path / "run", marks, doomed=doomed.node_id)(3, on_progress=kill)
    assert killed
    assert run.cost == CONFIG.budget
    assert not run.failures
    assert len({e.indices for e in run.evaluations}) == CONFIG.budget
    assert killed[0] in {e.id for e in run.evaluations}
    assert len(list(marks.glob(f"{killed[0]}.*"))) == 2  # once there, once elsewhere


def test_a_driver_that_is_killed_goes_on_where_it_was(tmp_path, cluster, search):
    folder = tmp_path / "run"
    command = [sys.executable, "-c", DRIVER, str(folder), CONFIG.model_dump_json(), cluster.address]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}) as driver:
        journal = folder / "evaluations.jsonl"
        while not (journal.exists() and journal.read_bytes().count(b"\n") >= 5):
            assert driver.poll() is None
            time.sleep(0.02)
        assert driver.poll() is None
        driver.kill()
    recorded = load_run(folder).evaluations
    assert 5 <= len(recorded) < CONFIG.budget
    run = search(folder, workers=Workers("ray", 2))
    assert run.evaluations[: len(recorded)] == recorded
    assert run.cost == len({e.indices for e in run.evaluations}) == CONFIG.budget


def test_workers_that_the_cluster_has_no_room_for_are_an_error(tmp_path, cluster, search, monkeypatch):
    monkeypatch.setattr(worker_pool, "PATIENCE_S", 1.0)
    deadline = time.monotonic() + 60.0  # until the node is missed that a test before has taken away
    while executor.ray_quietly().cluster_resources()["CPU"] != 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    with pytest.raises(
        WorkersUnavailable, match=r"no worker of 1 CPU and 2 GPU each .* the cluster has 2 CPU and 0 GPU"
    ):
        search(tmp_path / "run", workers=Workers("ray", 1, worker_gpus=2))


def test_a_super_network_that_cannot_be_sent_is_an_error(tmp_path, cluster, search):
    context = fake_context()
    unsendable = AnalyticSupernet(context.space)
    object.__setattr__(unsendable, "lock", __import__("threading").Lock())
    with pytest.raises(InvalidConfig, match=r"cannot be sent to workers: TypeError: .*lock"):
        search(tmp_path / "run", context=replace(context, supernet=unsendable), workers=Workers("ray", 1))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1", "head:port"])
def test_an_address_where_no_cluster_is_is_an_error_at_once(tmp_path, search, monkeypatch, address):
    monkeypatch.setattr(executor.ray_quietly(), "is_initialized", lambda: False)
    with pytest.raises(WorkersUnavailable, match=f"cannot join the Ray cluster at {address}: .* the head node"):
        search(tmp_path / "run", workers=Workers(f"ray://{address}"))


def test_without_ray_the_error_says_how_to_install_it(tmp_path, search, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(WorkersUnavailable, match=r"needs Ray, .*; install it: pip install 'ray>="):
        search(tmp_path / "run", workers=Workers("ray", 1))


def test_nothing_is_reported_to_anybody(monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    executor.ray_quietly()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
