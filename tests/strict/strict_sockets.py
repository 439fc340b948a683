"""No test may reach a network: the program is offline, and so are its tests.

An audit hook refuses at the interpreter's own border, so neither the order of imports nor a C extension's use of
Python's socket module gets round it. Local (AF_UNIX) sockets stay allowed: a display and worker processes use them.
"""

from __future__ import annotations

import socket
import sys

_NAMES = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})
_ENDS = frozenset({"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"})
_attempts: list[str] = []


class NetworkForbiddenError(RuntimeError):
    """A test, or what it runs, tried to reach a network."""


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event in _ENDS and (not isinstance(arguments[0], socket.socket) or arguments[0].family == _LOCAL):
        return
    if event in _NAMES or event in _ENDS:
        place = arguments[-1] if event in _ENDS else arguments[0]
        _attempts.append(f"{event} to {place!r}")
        raise NetworkForbiddenError(f"tests are offline: {event} to {place!r}")


_LOCAL = getattr(socket, "AF_UNIX", None)


def forbid_network() -> None:
    """For the rest of this process; an audit hook cannot be taken back."""
    sys.addaudithook(_refuse)


def taken_attempts() -> list[str]:
    """What was tried since the last call; also what the code under test swallowed."""
    attempts = [f"tried to use the network: {attempt}" for attempt in _attempts]
    _attempts.clear()
    return attempts
