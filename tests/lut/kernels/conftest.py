"""A kernel profile whose kernels come from ONNX Runtime and whose times from a law, so that truth is known."""

from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest

from gnomon.lut.kernels.graph.alone import copies_of
from gnomon.lut.kernels.graph.cutting import kernels_of
from gnomon.lut.kernels.graph.named import named
from gnomon.lut.kernels.profile_file.lines import digest_of
from gnomon.lut.kernels.profile_file.profile import load_kernel_profile, seal_kernels
from gnomon.lut.kernels.profile_file.records import CallRecord, KernelHeader, KernelRecord, ModelRecord
from gnomon.lut.kernels.sample import images, sequences
from gnomon.lut.profile_file.schema import LayerRecord, ProfileConfig
from gnomon.profilers import RunConfig, fingerprint, load_backend
from gnomon.profilers.runtimes.graphs.fused_graph import fused_graph_of

CALL_US = 3.0
FAMILIES = (images.shuffled, images.inverted, sequences.recurrent)
NETWORKS = 12


def law_us(cost):
    """What a kernel takes on the device of these tests."""
    return 0.5 + cost.macs / 3e4 + cost.moved_bytes / 1e4


def graph_of(model):
    backend = load_backend("onnxruntime")
    return kernels_of(fused_graph_of(backend, named(model), RunConfig()), f"onnxruntime {backend.version()}")


@pytest.fixture(scope="session")
def graphs():
    """Sampled networks as ONNX Runtime runs them, by name."""
    return {
        f"{family.__name__}-{number}": graph_of(family(np.random.default_rng(number)))
        for number in range(NETWORKS // len(FAMILIES))
        for family in FAMILIES
    }


def timed(key, us):
    return LayerRecord(key=key, loops=1, block_us=((us,) * 3,) * 3)


def write_profile(path, graphs, *, without=(), model_us=lambda us, graph: us, **changes):
    """Write a profile of graphs; `without` are names of graphs whose own kernels are left out."""
    kept = {name: graph for name, graph in graphs.items() if name not in without}
    kernels = {digest_of(key): kernel for graph in kept.values() for key, kernel in graph.kernels.items()}
    here, backend = fingerprint(), load_backend("onnxruntime")
    header = KernelHeader(
        **{
            "gnomon": "0",
            "backend": "onnxruntime",
            "config": ProfileConfig(**RunConfig().to_json()),
            "versions": backend.versions(),
            "options": {},
            "device": here.slug_of("cpu"),
            "hardware": here.to_json(),
            "policy": {},
            "plan": "",
            "created": "",
            "sessions": 1,
            "session_starts_s": {},
            "seconds": 1.0,
            **changes,
        }
    )
    records = [CallRecord(timed=timed("call", CALL_US))]
    for digest, kernel in kernels.items():
        us = CALL_US + copies_of(kernel) * law_us(kernel.cost)
        records.append(
            KernelRecord(
                key=kernel.key,
                operator=kernel.operator,
                copies=copies_of(kernel),
                cost=asdict(kernel.cost),
                timed=timed(digest, us),
            )
        )
    for name, graph in kept.items():
        total = CALL_US + sum(law_us(graph.kernels[key].cost) * count for key, count in graph.counts.items())
        records.append(
            ModelRecord(
                name=name,
                calls={digest_of(key): count for key, count in graph.counts.items()},
                added={},
                timed=timed(f"model:{name}", model_us(total, graph)),
            )
        )
    seal_kernels(path, header, records, force=True)
    return load_kernel_profile(path)


@pytest.fixture(scope="session")
def scripted():
    """Return the functions of this file, which tests cannot import."""
    return SimpleNamespace(graph_of=graph_of, write_profile=write_profile, law_us=law_us, call_us=CALL_US)


@pytest.fixture(scope="session")
def lawful(tmp_path_factory, graphs):
    """A device on which kernels add up."""
    return write_profile(tmp_path_factory.mktemp("kernels") / "lawful.jsonl", graphs)
