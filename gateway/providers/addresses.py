"""A socket to where the gateway may connect, and to nowhere else."""

import socket

from aiohttp import AddrInfoType

from routing.addresses import refusal


class ForbiddenAddress(OSError):
    """An operator's address leads where the gateway must never connect."""


def guarded_socket(info: AddrInfoType, *, allow_private: bool) -> socket.socket:
    """A socket for the resolved `info`, unless it is forbidden.

    Called with the address that is about to be connected, after name resolution: a
    name that resolves differently the next time is checked the next time.
    """
    family, kind, protocol, _, sockaddr = info
    if reason := refusal(str(sockaddr[0]), allow_private=allow_private):
        raise ForbiddenAddress(f"The upstream's address is forbidden: {reason}.")
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    return made
