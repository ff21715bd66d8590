"""Connections that keep a budget: of seconds for a whole request, and of bytes for a whole answer.

A socket's own timeout starts again with every packet, so a server that sends a byte a second holds a request for ever:
in the status line, in headers, between ``100 Continue`` and the answer, in chunk extensions, in the body. Here each
wait gets what the request has left, and each byte that comes counts, wherever it stands.
"""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from cachegraph.loaders.deadline import Deadline

__all__ = ["Budget", "TooMuchError", "keeping", "with_budgets"]

_BUFFER = 64 << 10


class TooMuchError(Exception):
    """More bytes came than the budget has."""


class Budget:
    """What one request may cost.

    Parameters
    ----------
    deadline : Deadline
    received : int
        Bytes that may come, headers and framing included.
    """

    def __init__(self, deadline: Deadline, received: int) -> None:
        self.deadline = deadline
        self._left = received

    def seconds(self) -> float:
        """Seconds that are left.

        Raises
        ------
        TimeoutError
            None are.
        """
        left = self.deadline.left()
        if left <= 0:
            raise TimeoutError
        return left

    def spend(self, received: int) -> None:
        """Count bytes that came.

        Raises
        ------
        TooMuchError
            They are more than were left.
        """
        self._left -= received
        if self._left < 0:
            raise TooMuchError


_budget: ContextVar[Budget] = ContextVar("request_budget")


@contextmanager
def keeping(budget: Budget) -> Iterator[None]:
    """Hold every request of this thread to a budget."""
    token = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(token)


class _Metered(io.RawIOBase):
    """What comes from a socket, each wait and each byte counted."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - io's own
        budget = _budget.get()
        self._sock.settimeout(budget.seconds())
        received: int | None = self._raw.readinto(buffer)
        budget.spend(received or 0)
        return received

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - http.client's own
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_Metered(raw, sock), _BUFFER)


class _Connection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        self.timeout = _budget.get().seconds()
        return super()._new_conn()


class _TLSConnection(HTTPSConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        self.timeout = _budget.get().seconds()
        sock = super()._new_conn()
        sock.settimeout(_budget.get().seconds())  # the handshake keeps it as a whole
        return sock


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


def with_budgets(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    """Make a manager's connections keep the budget that `keeping` sets."""
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
    return manager
