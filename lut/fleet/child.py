"""The process that measures one profile on one board: told what on its input, a line of JSON for each step.

    python -m gnomon.lut.fleet.child

It ends when nobody reads what it says, so that it stops where it can be resumed when the fleet's process is gone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import GnomonError
from ...profilers.errors import DeviceUnreachable
from ...profilers.exits import DONE, FAILED, INTERRUPTED
from ...profilers.run_config import RunConfig
from ...profilers.runtimes.registry import device_of
from ...profilers.timing.protocol import TimingPolicy
from ...profilers.transports.transport import open_device
from ..measuring.build import ProfileRequest, build_profile


def main() -> int:
    """Measure what the first line asks for."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what runtimes print must not be taken for a step

    def say(**step: Any) -> None:
        print(json.dumps(step), file=replies, flush=True)

    def progressed(event: Mapping[str, Any]) -> None:
        say(done=event["done"], total=event["total"], eta_s=event["eta_s"])

    try:
        asked = json.loads(sys.stdin.readline())
        settings = asked["settings"]
        policy = TimingPolicy(time_cap_s=settings.pop("time_cap_s"))
        networks = settings.pop("networks")
        config = RunConfig(device=device_of(asked["backend"]), **settings)
        request = ProfileRequest(
            asked["space"], asked["backend"], config, networks, layers=asked["layers"], policy=policy
        )
        with open_device(asked["device"], say=lambda text: print(text, file=sys.stderr, flush=True)) as device:
            built = build_profile(request, Path(asked["out"]), device=device, on_progress=progressed)
        say(quality=built.quality)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (GnomonError, ValueError) as error:
        say(error=str(error), unreachable=isinstance(error, DeviceUnreachable))
        return FAILED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
