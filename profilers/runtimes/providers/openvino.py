"""OpenVINO as a plugin of ONNX Runtime (the package onnxruntime-ep-openvino), on the CPU.

The plugin accepts unknown options silently and ignores the old ones (num_of_threads, precision); what it passes on is
``load_config``, whose properties OpenVINO itself checks. Nothing of them can be read back. So before the first session
it is given a property that cannot be: if that passes, properties are not read, and every time would be under unknown
conditions. The properties are those of the backend ``openvino``. The library stays registered until the process ends,
because it may go only after all sessions.
"""

from __future__ import annotations

import importlib.util
import json
import os
from importlib import metadata
from types import ModuleType
from typing import Any, Dict, Tuple

from ...errors import BackendUnavailable, BackendUnusable, UnsupportedConfig
from ...run_config import RunConfig
from ..backends.openvino import PRECISION_HINTS, unpinned
from ..conflicts import OPENVINO_PLUGIN, refuse_conflict
from ..provider import Arguments
from ..requirements import install_command

DEVICE = "CPU"
REGISTRATION = "gnomon.openvino"
DISTRIBUTION = "onnxruntime-ep-openvino"
FIRST_WITH_PLUGINS = "1.23"
CANARY = "GNOMON_HAS_NO_SUCH_PROPERTY"
SILENT = 4  # the severity of what is fatal: the canary's failure is wanted
RELU = bytes.fromhex(  # ONNX of y = relu(x) for one float: a device has no package to build it with
    "08083a330a0c0a0178120179220452656c751201675a0f0a0178120a0a08080112040a020801"
    "620f0a0179120a0a08080112040a02080142040a001011"
)


class OpenVinoProvider:
    """The plugin's device CPU: latency hint, one stream, an explicit number of threads."""

    name = "OpenVINOExecutionProvider"
    device = "cpu"
    install_command = install_command("onnxruntime:openvino")
    precisions: Tuple[str, ...] = ("fp32", "int8")
    precision_note = ""
    memory = "cpu"
    has_own_threads = True
    profiles_operators = False
    takes_process = True  # its OpenVINO stays, and excludes the other one

    def require(self, runtime: ModuleType) -> None:
        """Raise `BackendUnavailable` unless the plugin is installed, beside an ONNX Runtime that takes plugins."""
        if importlib.util.find_spec(OPENVINO_PLUGIN) is None:
            raise BackendUnavailable(
                f"The backend 'onnxruntime:openvino' needs the package {DISTRIBUTION}, which is not installed. "
                f"Install it: {self.install_command}",
                install_command=self.install_command,
            )
        if not hasattr(runtime, "get_ep_devices"):
            upgrade = f'pip install "onnxruntime>={FIRST_WITH_PLUGINS}"'
            raise BackendUnavailable(
                f"onnxruntime {runtime.__version__} takes no plugins; expected {FIRST_WITH_PLUGINS} or later. "
                f"Install it: {upgrade}",
                install_command=upgrade,
            )

    def start(self, runtime: ModuleType) -> None:
        """Register the plugin, find its device, and see that it reads properties; raises `BackendUnusable`."""
        refuse_conflict(OPENVINO_PLUGIN)
        try:
            import onnxruntime_ep_openvino

            if not any(device.ep_name == self.name for device in runtime.get_ep_devices()):
                runtime.register_execution_provider_library(REGISTRATION, onnxruntime_ep_openvino.get_library_path())
        except Exception as exc:  # the runtime's errors share no base but Exception
            raise BackendUnusable(f"{DISTRIBUTION} {self._version()} cannot be loaded here: {exc}") from exc
        session_options = runtime.SessionOptions()
        session_options.log_severity_level = SILENT
        self._add(runtime, session_options, {CANARY: "1"})
        try:
            runtime.InferenceSession(RELU, session_options, enable_fallback=0)
        except Exception as exc:  # the runtime's errors share no base but Exception
            if CANARY in str(exc):  # as it should
                return
            raise BackendUnusable(f"{DISTRIBUTION} {self._version()} does not work here: {exc}") from exc
        raise BackendUnusable(
            f"{DISTRIBUTION} {self._version()} accepts a property of OpenVINO that does not exist, so it would ignore "
            f"threads and precision too; expected a version that passes load_config on, such as 1.8.1"
        )

    def versions(self) -> Dict[str, str]:
        """Return the version of the plugin, which brings an OpenVINO of its own."""
        return {DISTRIBUTION: self._version()}

    def attach(self, runtime: ModuleType, session_options: Any, config: RunConfig) -> Arguments:
        """Put the plugin's device CPU into the session options, with every property that moves a time.

        Raises `UnsupportedConfig` for more threads than CPUs: OpenVINO would take fewer, and nothing would tell.
        """
        cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if config.threads > cpus:
            raise UnsupportedConfig(f"asked onnxruntime:openvino for {config.threads} threads; there are {cpus} CPUs")
        self._add(runtime, session_options, _properties(config))
        return None

    def read_back(self, session: Any, config: RunConfig) -> Dict[str, Any]:
        """Return the properties that OpenVINO accepted; the plugin gives none back."""
        return {"ov_device": DEVICE, "load_config": _properties(config), "load_config_checked": "by a canary"}

    def _add(self, runtime: ModuleType, session_options: Any, properties: Dict[str, str]) -> None:
        found = [device for device in runtime.get_ep_devices() if device.ep_name == self.name]
        chosen = [device for device in found if device.ep_metadata.get("ov_device") == DEVICE]
        if not chosen:
            names = ", ".join(sorted(str(device.ep_metadata.get("ov_device")) for device in found)) or "none"
            raise BackendUnusable(
                f"asked {DISTRIBUTION} {self._version()} for its device {DEVICE}; on this processor it has {names}. "
                f"The backend 'openvino' runs the same models without the plugin"
            )
        session_options.add_provider_for_devices(chosen[:1], {"load_config": json.dumps({DEVICE: properties})})

    def _version(self) -> str:
        return metadata.version(DISTRIBUTION)


def _properties(config: RunConfig) -> Dict[str, str]:
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": str(config.threads),
        "NUM_STREAMS": "1",
        "INFERENCE_PRECISION_HINT": PRECISION_HINTS[config.precision],
        **{name: "YES" if value else "NO" for name, value in unpinned(config).items()},
    }


PROVIDER = OpenVinoProvider()
