"""Where ONNX Runtime put a model's nodes: all on the provider asked for, or a refusal that names what strayed."""

from __future__ import annotations

from typing import Any, List

from ..errors import FallbackRefused, UnsupportedConfig

RECORD_KEY = "session.record_ep_graph_assignment_info"
STRICT_KEY = "session.disable_cpu_ep_fallback"
CPU = "CPUExecutionProvider"  # ONNX Runtime adds it to every session, and says so for none
NAMED = 5  # strayed nodes that an error names


def is_placement_told(session: Any) -> bool:
    """Tell whether this ONNX Runtime says where it put every node; before 1.24 it cannot."""
    return hasattr(session, "get_provider_graph_assignment_info")


def refuse_fallback(session: Any, provider: str) -> None:
    """Raise unless every node of the session runs on ``provider``.

    `UnsupportedConfig` when the provider is not in the session at all, which no other model would change;
    `FallbackRefused` when nodes of this one strayed.
    """
    providers = session.get_providers()
    if provider not in providers:
        raise UnsupportedConfig(
            f"asked for {provider} alone; onnxruntime could not start it and chose {', '.join(providers)}. "
            f"Its device, its driver or libraries it needs are missing"
        )
    others = [name for name in providers if name not in (provider, CPU)]
    if others:
        raise FallbackRefused(f"asked for {provider} alone; onnxruntime chose {', '.join(providers)}")
    if not is_placement_told(session):
        return  # then `STRICT_KEY` has made the session fail, or the provider is the CPU's
    strayed = [
        f"{node.op_type} {node.name!r} on {part.ep_name}"
        for part in session.get_provider_graph_assignment_info()
        if part.ep_name != provider
        for node in part.get_nodes()
    ]
    if strayed:
        raise FallbackRefused(f"asked for {provider} alone; onnxruntime put {_listed(strayed)}")


def _listed(strayed: List[str]) -> str:
    more = len(strayed) - NAMED
    return ", ".join(strayed[:NAMED]) + (f" and {more} more nodes elsewhere" if more > 0 else "")
