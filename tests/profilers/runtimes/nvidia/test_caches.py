"""What TensorRT found out is lent to later builds, kept whole or not at all, and begun anew when it is refused."""

from types import SimpleNamespace

from gnomon.profilers import RunConfig
from gnomon.profilers.runtimes.nvidia.caches import KeptFile, RuntimeCache
from gnomon.profilers.runtimes.nvidia.logger import Log
from gnomon.profilers.testing import affine_model

GPU = RunConfig(device="gpu")


def test_a_timing_cache_is_lent_to_the_next_build_and_goes_on_growing(make_backend, library, scripted, tmp_path):
    lent = []

    class Config(scripted.Config):
        def set_timing_cache(self, cache, ignore_mismatch):
            lent.append(cache.content)
            return super().set_timing_cache(cache, ignore_mismatch)

    path = tmp_path / "results.jsonl.cache"
    backend = make_backend(library, config=lambda: Config(accepts=lent[-1] + b"+" if lent else b"", adds=b"+"))
    backend.use_cache(path)
    for _ in range(3):
        backend.load(affine_model(), GPU).close()
    backend.save_cache()
    assert lent == [b"", b"+", b"++"]
    assert path.read_bytes() == b"+++"
    assert backend.conditions()["cache"] == "begun"


def test_a_timing_cache_that_tensorrt_refuses_is_begun_anew_and_said(make_backend, library, scripted, tmp_path):
    path = tmp_path / "results.jsonl.cache"
    path.write_bytes(b"of another GPU")
    backend = make_backend(library, config=lambda: scripted.Config(accepts=b"none", adds=b"new"))
    backend.use_cache(path)
    assert backend.conditions()["cache"] == "continued"
    backend.load(affine_model(), GPU).close()
    backend.save_cache()
    assert path.read_bytes() == b"new"
    assert backend.conditions()["cache"].startswith("begun anew, for TensorRT refused the one kept")


def test_an_unreadable_timing_cache_that_only_the_log_complains_of_is_begun_anew(
    make_backend, library, scripted, tmp_path
):
    path = tmp_path / "results.jsonl.cache"
    path.write_bytes(b"damaged")
    backend = make_backend(library)
    log = backend._builder.log

    class Config(scripted.Config):
        def create_timing_cache(self, content):
            if content:
                log.warnings.append("Failed to deserialize timing cache.")
            return super().create_timing_cache(b"")

    backend._builder.runtime.Builder(None).create_builder_config = lambda: Config(adds=b"new")
    backend.use_cache(path)
    backend.load(affine_model(), GPU).close()
    assert "Failed to deserialize timing cache." in backend.conditions()["cache"]


def test_without_a_cache_every_build_is_its_own(make_backend, library, scripted):
    class Config(scripted.Config):
        def create_timing_cache(self, content):
            raise AssertionError("nobody asked for a cache")

    make_backend(library, config=Config).load(affine_model(), GPU).close()


def runtime_engine(held, contexts):
    cache = SimpleNamespace(serialize=lambda: held["content"], deserialize=lambda content: content == held["accepts"])
    config = SimpleNamespace(create_runtime_cache=lambda: cache, set_runtime_cache=held["set"].append)
    return SimpleNamespace(
        create_runtime_config=lambda: config,
        create_execution_context=lambda config: contexts.append(config) or "context",
    )


def test_a_runtime_cache_is_one_for_all_engines_and_kept_after_they_ran(tmp_path):
    held, contexts = {"content": b"kernels", "accepts": b"", "set": []}, []
    cache = RuntimeCache(tmp_path / "cache", Log())
    assert [cache.context(runtime_engine(held, contexts)) for _ in range(2)] == ["context", "context"]
    assert held["set"][0] is held["set"][1]
    cache.keep()
    assert (tmp_path / "cache").read_bytes() == b"kernels"
    (tmp_path / "cache").write_bytes(b"of another GPU")
    again = RuntimeCache(tmp_path / "cache", Log())
    again.context(runtime_engine(held, contexts))
    assert again.state.startswith("begun anew")


def test_a_kept_file_is_written_when_it_has_grown_and_at_the_end(tmp_path):
    file = KeptFile(tmp_path / "cache")
    file.take(b"a" * 100)
    file.take(b"a" * 105)
    assert len((tmp_path / "cache").read_bytes()) == 100
    file.save()
    assert len((tmp_path / "cache").read_bytes()) == 105
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
