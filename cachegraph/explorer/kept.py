"""Pages that were made, kept for the next visit: one of thousands of records takes seconds to make."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

__all__ = ["KeptPages"]

_MOST_BYTES = 64 << 20


class KeptPages:
    """The pages that were asked for last, as far as they fit.

    Parameters
    ----------
    most_bytes : int
        What they may take together; a page that is larger by itself is made each time.

    Notes
    -----
    It belongs to one server, whose exports do not change: pages go with it when the exports are read again.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._pages: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = Lock()  # requests are answered in threads
        self._making = Lock()  # who asks twice out of impatience waits for the first answer

    def get(self, key: Hashable, make: Callable[[], str]) -> bytes:
        """Give a page, in UTF-8, and make it if it is not kept.

        Parameters
        ----------
        key : hashable
            All that the page depends on.
        make : callable
            Makes it; nothing is kept where it raises.
        """
        if (page := self._find(key)) is not None:
            return page
        with self._making:
            if (page := self._find(key)) is not None:
                return page
            page = make().encode()
            self._keep(key, page)
            return page

    def _find(self, key: Hashable) -> bytes | None:
        with self._lock:
            if key in self._pages:
                self._pages.move_to_end(key)
            return self._pages.get(key)

    def _keep(self, key: Hashable, page: bytes) -> None:
        if len(page) > self._most:
            return
        with self._lock:
            self._pages[key] = page
            self._bytes += len(page)
            while self._bytes > self._most:
                self._bytes -= len(self._pages.popitem(last=False)[1])
