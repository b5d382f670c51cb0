"""The process that measures one profile on one board: told what on its input, a line of JSON for each step.

    python -m gnomon.lut.fleet.child

Told of profiles to `try`, it measures none, and says of each whether it could be. It stops, where it can go on later,
when its input ends, or nobody reads what it says: then the fleet's process is gone, or wants no more of it.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...errors import GnomonError
from ...profilers.errors import DeviceUnreachable
from ...profilers.exits import DONE, FAILED, INTERRUPTED
from ...profilers.run_config import RunConfig
from ...profilers.runtimes.registry import device_of
from ...profilers.timing.protocol import TimingPolicy
from ...profilers.transports.transport import Transport, open_device
from ..measuring.build import ProfileRequest, build_profile, require_measurable


def main() -> int:
    """Measure what the first line asks for."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the fleet may have had it ignored
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what runtimes print must not be taken for a step

    def say(**step: Any) -> None:
        try:
            print(json.dumps(step), file=replies, flush=True)
        except BrokenPipeError:
            raise KeyboardInterrupt from None

    try:
        return answer(say)
    except KeyboardInterrupt:
        return INTERRUPTED


def answer(say: Callable[..., None]) -> int:
    """Do what the first line asks for, say each step, and return the exit code."""

    def progressed(event: Mapping[str, Any]) -> None:
        say(done=event["done"], total=event["total"], eta_s=event["eta_s"])

    try:
        asked = json.loads(sys.stdin.readline())
        threading.Thread(target=interrupt_at_end, args=(sys.stdin.fileno(),), daemon=True).start()
        with open_device(asked["device"], say=lambda text: print(text, file=sys.stderr, flush=True)) as device:
            if "try" in asked:
                device.hardware()
                for number, plan in enumerate(asked["try"]):
                    say(tried=number, refused=refusal(plan, device))
                return DONE
            built = build_profile(request_from(asked), Path(asked["out"]), device=device, on_progress=progressed)
        say(quality=built.quality)
    except (GnomonError, ValueError) as error:
        say(error=str(error), unreachable=isinstance(error, DeviceUnreachable))
        return FAILED
    return DONE


def interrupt_at_end(descriptor: int) -> None:
    """Interrupt this process, as Ctrl-C does, once what a descriptor reads from is closed."""
    while os.read(descriptor, 1 << 12):
        pass
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # also while it waits for a read
    else:
        _thread.interrupt_main()


def request_from(asked: Mapping[str, Any]) -> ProfileRequest:
    """Return what is asked for; raises ValueError, GnomonError."""
    settings = dict(asked["settings"])
    policy = TimingPolicy(time_cap_s=settings.pop("time_cap_s"))
    networks = settings.pop("networks")
    config = RunConfig(device=device_of(asked["backend"]), **settings)
    return ProfileRequest(asked["space"], asked["backend"], config, networks, layers=asked["layers"], policy=policy)


def refusal(asked: Mapping[str, Any], device: Transport) -> str:
    """Say why a profile could not be measured, "" where it could be; raises DeviceUnreachable."""
    try:
        require_measurable(request_from(asked), Path(asked["out"]), device, force=False)
    except DeviceUnreachable:
        raise
    except (GnomonError, ValueError) as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit(main())
