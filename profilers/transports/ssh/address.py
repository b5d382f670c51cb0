"""The address of a device: ``ssh://[user@]host[:port][?python=PATH]``; host may be a Host of the user's ssh config.

What it says becomes words of a command line, so nothing passes that ssh could take for an option or for two words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from ...errors import AddressInvalid

FORM = re.compile(
    r"ssh://"
    r"(?:(?P<user>[a-z0-9_][a-z0-9_.+-]*)@)?"
    r"(?:\[(?P<ipv6>[0-9a-f:.]*:[0-9a-f:.]*(?:%[a-z0-9_.]+)?)\]|(?P<host>[a-z0-9_][a-z0-9_.-]*))"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
    r"(?:\?python=(?:~/)?(?P<python>[a-z0-9_./][a-z0-9_./+-]*))?",
    re.IGNORECASE | re.ASCII,
)
LAST_PORT = 65_535


@dataclass(frozen=True)
class SshAddress:
    """Where a device is reached; no port: the one ssh would take. A relative ``python`` is in the home folder there."""

    host: str
    user: str = ""
    port: Optional[int] = None
    python: str = "python3"

    @property
    def destination(self) -> str:
        """What ssh is given: ``user@host``, or the host alone."""
        return f"{self.user}@{self.host}" if self.user else self.host

    @property
    def login(self) -> str:
        """The command with which a user logs in there."""
        return f"ssh {self.destination}" if self.port is None else f"ssh -p {self.port} {self.destination}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        user, port = f"{self.user}@" if self.user else "", "" if self.port is None else f":{self.port}"
        return f"ssh://{user}{host}{port}"


def address_from_text(text: str) -> SshAddress:
    """Return the address written as ``text``; `AddressInvalid` for anything else."""
    match = FORM.fullmatch(text)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or (port is not None and not 1 <= port <= LAST_PORT):
        raise AddressInvalid(
            f"{text!r} is no address of a device; expected ssh://[user@]host[:port][?python=PATH], such as "
            f"ssh://pi@raspberrypi.local or ssh://[fe80::1]:2222?python=venv/bin/python"
        )
    return SshAddress(match["ipv6"] or match["host"], match["user"] or "", port, match["python"] or "python3")
