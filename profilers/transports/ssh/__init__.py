"""A device reached by the system's OpenSSH client, with the user's own configuration, agent and known hosts."""

from .device import SshDevice, open_device

__all__ = ["SshDevice", "open_device"]
