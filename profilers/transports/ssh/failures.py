"""What ssh means when it gives up: its own words, what they say about the device, and what to do."""

from __future__ import annotations

import re
from typing import NamedTuple, Tuple

from ...errors import DeviceUnreachable
from .address import SshAddress


class _Failure(NamedTuple):
    words: str
    meaning: str
    remedy: str
    may_pass: bool = False


FAILURES: Tuple[_Failure, ...] = (  # the first that fits; {login} is the ssh command for the device
    _Failure(
        "could not resolve hostname",
        "its name is unknown",
        "Check the spelling, or the Host in ~/.ssh/config",
    ),
    _Failure(
        "host identification has changed",
        "its host key is not the one known for it",
        "If it was set up anew, remove the old key with ssh-keygen -R, then compare the new one in: {login}",
    ),
    _Failure(
        "host key verification failed",
        "its host key is not known",
        "Connect once by hand and compare the fingerprint: {login}",
    ),
    _Failure(
        "permission denied|too many authentication failures",
        "it did not accept the login",
        "Install a key with ssh-copy-id, or enter the password on a terminal; this must work: {login}",
    ),
    _Failure(
        "connection refused",
        "no SSH server listens there",
        "Start one on the device, or give its port as ssh://host:port",
        may_pass=True,
    ),
    _Failure(
        "timed out|no route to host|unreachable|host is down",
        "nothing answers there",
        "Is it switched on and in this network? Try: {login}",
        may_pass=True,
    ),
)
UNKNOWN = _Failure("", "the line to it was closed", "Try: {login}", may_pass=True)
WORDS_LIMIT = 600  # characters of ssh's last words in a message


def unreachable(address: SshAddress, stderr: str) -> DeviceUnreachable:
    """Return the error for a connection that ended with ``stderr``."""
    words = printable(stderr)
    failure = next((known for known in FAILURES if re.search(known.words, words, re.IGNORECASE)), UNKNOWN)
    remedy = failure.remedy.format(login=address.login)
    said = f". ssh said: {words[-WORDS_LIMIT:].rstrip('.')}" if words else ""
    return DeviceUnreachable(
        f"{address} cannot be reached: {failure.meaning}. {remedy}{said}", may_pass=failure.may_pass
    )


def printable(text: str) -> str:
    """Return text from elsewhere without what a terminal would obey, on lines without space around them."""
    lines = ("".join(char if char.isprintable() else " " for char in line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)
