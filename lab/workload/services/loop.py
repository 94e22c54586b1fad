# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A small HTTP/1.1 loop for the demo services: one thread, one epoll, whole batches of requests.

Why not http.server: importing it takes three times as long as everything here, and a thread or fork per connection is
what drowns an emulated VM. A turn of the loop collects every request that is there and hands the batch to the service;
the ledger commits the batch with one fsync. Only modules of Debian's python3-minimal are imported.
"""

import os
import select
import signal
import socket
import sys

MAX_HEAD_BYTES = 8192
MAX_BODY_BYTES = 4096
MAX_CONNECTIONS = 256
STOP_WITHIN_S = 0.5  # Pacemaker waits for the stop: what is in flight is answered, nothing else is waited for

REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


class BadRequest(Exception):
    """The bytes are not a request that this loop reads; the text says what is wrong."""


class Request:
    """One parsed request: method, path and whether the connection stays open afterwards."""

    __slots__ = ("keep_open", "method", "path")

    def __init__(self, method, path, keep_open):
        self.method, self.path, self.keep_open = method, path, keep_open


def parse_request(data):
    """Takes the first request off `data` (bytes). Returns (Request or None when more bytes are needed, the rest).

    Raises BadRequest. The format is RFC 9112; bodies are skipped by Content-Length, chunked ones are refused.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > MAX_HEAD_BYTES:
            raise BadRequest(f"the head is longer than {MAX_HEAD_BYTES} bytes")
        return None, data
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest("the first line is not METHOD PATH HTTP/1.1")
    length, keep_open = 0, words[2] == "HTTP/1.1"
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name == "content-length":
            if not (value.isascii() and value.isdigit()) or len(value) > 9 or int(value) > MAX_BODY_BYTES:
                raise BadRequest(f"Content-Length is not a number up to {MAX_BODY_BYTES}")
            length = int(value)
        elif name == "transfer-encoding":
            raise BadRequest("Transfer-Encoding is not understood, send Content-Length")
        elif name == "connection":
            keep_open = keep_open and value.lower() != "close"
    if len(data) < end + 4 + length:
        return None, data
    keep_open = keep_open and words[0] != "HEAD"  # our answers have bodies: after one to HEAD the connection closes
    return Request(words[0], words[1], keep_open), data[end + 4 + length :]


def parse_transaction(path):
    """Reads `/t/CLIENT/NUMBER`. Returns (client, number as text) or None when the path is something else."""
    words = path.split("/")
    if len(words) != 4 or words[0] != "" or words[1] != "t":
        return None
    client, number = words[2], words[3]
    if not 1 <= len(client) <= 63 or client.strip("abcdefghijklmnopqrstuvwxyz0123456789-"):
        return None
    if not 1 <= len(number) <= 12 or number.strip("0123456789"):
        return None
    return client, number


def render_response(status, body, keep_open):
    """Returns the bytes of a JSON response; `body` is text."""
    content = body.encode("utf-8")
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        f"Connection: {'keep-alive' if keep_open else 'close'}",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + content


def render_object(**values):
    """Returns a JSON object's text. For integers and for text that needs no escaping: names, numbers, our sentences."""
    return "{" + ", ".join(f'"{key}": {value if isinstance(value, int) else render_text(value)}' for key, value in values.items()) + "}"


def render_text(value):
    """Returns a JSON string; what would need escaping becomes a question mark (nothing of ours holds such characters)."""
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in str(value)) + '"'


def notify_systemd(message):
    """Tells systemd `message` (such as READY=1) when it started us with Type=notify; nothing otherwise."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier:
        notifier.sendto(message.encode("ascii"), "\0" + path[1:] if path.startswith("@") else path)


class Loop:
    """Serves `answer(requests) -> [(status, body)]` on `address:port` until SIGTERM or SIGINT."""

    def __init__(self, address, port, answer):
        self.answer = answer
        self.connections = {}  # file descriptor -> [socket, bytes read, bytes to write, stays open]
        self.stopping = False
        try:
            self.listener = socket.create_server((address, port), backlog=128)
        except OSError as error:
            place = f"port {port} of {address or 'this machine'}"
            sys.exit(f"{place} can't be had: {os.strerror(error.errno)}; see who listens there (ss -ltnp), end it or give another port")
        self.listener.setblocking(False)
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)
        self.wake_read, self.wake_write = socket.socketpair()
        self.wake_write.setblocking(False)
        self.poll.register(self.wake_read, select.EPOLLIN)

    def run(self):
        """Serves until a signal says stop, then answers what is in flight and returns."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.set_wakeup_fd(self.wake_write.fileno())  # without it a signal would not end the wait in poll
        notify_systemd("READY=1")
        while not self.stopping:
            self._turn(-1)
        self.poll.unregister(self.listener)
        self.listener.close()
        self._turn(0)  # requests that had arrived before the stop are still answered
        for _ in range(10):
            if not any(entry[2] for entry in self.connections.values()):
                break
            self._turn(STOP_WITHIN_S / 10)

    def _on_signal(self, _number, _frame):
        self.stopping = True

    def _turn(self, timeout_s):
        waiting = []
        for number, events in self.poll.poll(timeout_s):
            if number == self.listener.fileno():
                self._accept()
            elif number == self.wake_read.fileno():
                self.wake_read.recv(64)
            elif number in self.connections:
                if events & select.EPOLLOUT:
                    self._write(number)
                if number in self.connections and events & ~select.EPOLLOUT:
                    entry = self.connections[number]
                    waiting += [(number, entry, request) for request in self._read(number)]
        if waiting:
            answers = self.answer([request for _, _, request in waiting])
            for (number, entry, request), (status, body) in zip(waiting, answers, strict=True):
                if self.connections.get(number) is entry:  # else it is gone, and its number may be another's by now
                    self._reply(number, status, body, request.keep_open and not self.stopping)

    def _accept(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if len(self.connections) >= MAX_CONNECTIONS:
                    self._close(next(iter(self.connections)))  # the oldest: clients retry, memory stays bounded
                self.connections[connection.fileno()] = [connection, b"", b"", True]
                self.poll.register(connection, select.EPOLLIN)
        except BlockingIOError:
            return
        except OSError as error:
            print(f"accepting a connection failed: {error}; going on", file=sys.stderr, flush=True)

    def _read(self, number):
        entry = self.connections[number]
        try:
            data = entry[0].recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self._close(number)
            return []
        requests, rest = [], entry[1] + data
        try:
            while entry[3]:
                request, rest = parse_request(rest)
                if request is None:
                    break
                requests.append(request)
                entry[3] = request.keep_open
        except BadRequest as problem:
            self._reply(number, 400, render_object(problem=problem), False)
            return []
        entry[1] = rest if entry[3] else b""  # nothing is read behind a request that closes
        return requests

    def _reply(self, number, status, body, keep_open):
        entry = self.connections[number]
        entry[2] += render_response(status, body, keep_open)
        entry[3] = keep_open
        self._write(number)

    def _write(self, number):
        entry = self.connections[number]
        try:
            entry[2] = entry[2][entry[0].send(entry[2]) :] if entry[2] else b""
        except BlockingIOError:
            pass
        except OSError:
            self._close(number)
            return
        if not entry[2] and not entry[3]:
            self._close(number)
            return
        self.poll.modify(number, select.EPOLLIN | (select.EPOLLOUT if entry[2] else 0))

    def _close(self, number):
        connection = self.connections.pop(number)[0]
        self.poll.unregister(number)
        connection.close()
