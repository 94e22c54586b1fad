# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One kept-open HTTP/1.1 connection of the load client, with deadlines for connecting and for the answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

MAX_HEAD_BYTES = 16384
MAX_BODY_BYTES = 1 << 20


class AttemptFailed(Exception):
    """One attempt got no answer that counts; the text says why. The caller tries again with the same id."""


def parse_head(head: bytes) -> tuple[int, int, bool]:
    """Reads a response's head. Returns (status, length of the body in bytes, whether the connection stays open).

    Raises AttemptFailed when it is not HTTP/1.x with a Content-Length.
    """
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise AttemptFailed("the answer is not HTTP")
    length, keep_open = -1, words[0] == "HTTP/1.1"
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-length" and value.strip().isdigit():
            length = int(value)
        elif name.strip().lower() == "connection" and value.strip().lower() == "close":
            keep_open = False
    if not 0 <= length <= MAX_BODY_BYTES:
        raise AttemptFailed(f"status {words[1]} without a usable Content-Length")
    return int(words[1]), length, keep_open


class Connection:
    """A connection to one address that is opened when needed and closed after any trouble."""

    def __init__(self, address: str, port: int, connect_s: float, answer_s: float) -> None:
        self.address, self.port = address, port
        self.connect_s, self.answer_s = connect_s, answer_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, method: str, path: str) -> dict[str, Any]:
        """Sends one request; returns the answer's JSON object. Raises AttemptFailed for everything but a 200."""
        try:
            reader, writer = self._streams or await self._connect()
            return await asyncio.wait_for(self._exchange(reader, writer, method, path), self.answer_s)
        except TimeoutError:
            self.close()
            raise AttemptFailed("no answer in time") from None
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            self.close()
            raise AttemptFailed(str(error) or type(error).__name__) from None
        except AttemptFailed:
            self.close()
            raise

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        opening = asyncio.open_connection(self.address, self.port, limit=MAX_HEAD_BYTES)
        try:
            self._streams = await asyncio.wait_for(opening, self.connect_s)
        except TimeoutError:
            raise AttemptFailed("no connection in time") from None
        return self._streams

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, path: str) -> dict[str, Any]:
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: {self.address}\r\nContent-Length: 0\r\n\r\n".encode("ascii"))
        await writer.drain()
        status, length, keep_open = parse_head(await reader.readuntil(b"\r\n\r\n"))
        body = await reader.readexactly(length)
        if not keep_open:
            self.close()
        if status != 200:
            raise AttemptFailed(f"status {status}")
        answer = json.loads(body)
        if not isinstance(answer, dict):
            raise AttemptFailed("the answer is not a JSON object")
        return answer

    def close(self) -> None:
        """Drops the connection; the next request opens a new one."""
        if self._streams:
            self._streams[1].close()
            self._streams = None
