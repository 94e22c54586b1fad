# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The demo's movable service: stores each transaction durably, once, and only then acknowledges it.

    python3 -SE ledger.py PORT DIRECTORY [--mounted] [ADDRESS]

The file is DIRECTORY/ledger.log, a line `CLIENT/NUMBER NODE` per transaction. A batch of requests is written and
fsynced together. A transaction that is stored already is acknowledged again without a second line: clients retry with
the same id until they hear an answer. With --mounted the service refuses to start when nothing is mounted at
DIRECTORY, because transactions stored below a missing mount would be lost with the VM.
"""

import os
import sys

import loop


class Damaged(Exception):
    """The file holds a line that is not ours, with ours after it: nothing that a torn write leaves behind."""


def parse_log(data):
    """Reads the file's bytes. Returns (ids in order, length in bytes of the good part).

    What follows the last good line was never acknowledged (an acknowledgement comes after fsync): a torn line, or
    zeros that the file system left there. It is not part of the result. Raises Damaged when good lines follow it.
    """
    ids, good = [], 0
    lines = data.split(b"\n")
    for place, line in enumerate(lines[:-1]):
        transaction = parse_line(line)
        if transaction is None:
            if any(parse_line(later) for later in lines[place + 1 : -1]):
                raise Damaged(f"line {place + 1} is not a transaction, but later lines are")
            break
        ids.append(transaction)
        good += len(line) + 1
    return ids, good


def parse_line(line):
    """Returns the id (CLIENT/NUMBER) of one line without its newline, or None when it is not a line of ours."""
    try:
        words = line.decode("ascii").split(" ")
    except UnicodeDecodeError:
        return None
    if len(words) != 2 or not words[1] or not loop.parse_transaction("/t/" + words[0]):
        return None
    return words[0]


class Ledger:
    """The stored transactions: the file, and the ids in it as an index."""

    def __init__(self, directory, node):
        self.node = node
        self.path = os.path.join(directory, "ledger.log")
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
        ids, good = parse_log(self._read())
        os.ftruncate(self.file, good)
        os.fsync(self.file)
        sync_directory(directory)
        self.stored = set(ids)

    def _read(self):
        size = os.fstat(self.file).st_size
        data = b""
        while len(data) < size:
            piece = os.pread(self.file, size - len(data), len(data))
            if not piece:
                break
            data += piece
        return data

    def answer(self, requests):
        """Stores the batch's new transactions with one fsync; returns one (status, body) per request.

        An OSError of the write or the fsync is not caught: the process ends without acknowledging, and the next start
        reads from the file what is really there (after a failed fsync nothing in memory can be trusted).
        """
        fresh = {}
        for request in requests:
            transaction = self._id(request)
            if transaction and transaction not in self.stored:
                fresh[transaction] = f"{transaction} {self.node}\n"
        if fresh:
            data = "".join(fresh.values()).encode("ascii")
            while data:
                data = data[os.write(self.file, data) :]
            os.fsync(self.file)
            self.stored.update(fresh)
        return [self._reply(request) for request in requests]

    @staticmethod
    def _id(request):
        transaction = loop.parse_transaction(request.path) if request.method == "POST" else None
        return f"{transaction[0]}/{int(transaction[1])}" if transaction else None

    def _reply(self, request):
        transaction = self._id(request)
        if transaction:
            client, number = transaction.split("/")
            return 200, loop.render_object(client=client, number=int(number), node=self.node)
        if loop.parse_transaction(request.path):
            return 405, loop.render_object(problem="a transaction is sent with POST")
        if request.path == "/health":
            return 200, loop.render_object(node=self.node, stored=len(self.stored))
        if request.path == "/ledger":  # from the file, not from the index: what is told is what is stored
            ids = ", ".join(f'"{one}"' for one in parse_log(self._read())[0])
            return 200, f'{{"node": {loop.render_text(self.node)}, "ids": [{ids}]}}'
        return 404, loop.render_object(problem="there is /health, /ledger and POST /t/CLIENT/NUMBER")


def sync_directory(path):
    """Makes the file's name durable too."""
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def main(argv):
    """Serves until SIGTERM."""
    words = [word for word in argv[1:] if word != "--mounted"]
    if len(words) not in (2, 3) or not words[0].isdigit():
        sys.exit("usage: ledger.py PORT DIRECTORY [--mounted] [ADDRESS]")
    if "--mounted" in argv and not os.path.ismount(words[1]):
        sys.exit(f"nothing is mounted at {words[1]}: transactions stored there would be lost with this VM; mount it")
    try:
        ledger = Ledger(words[1], os.uname().nodename)
    except (OSError, Damaged) as error:
        sys.exit(f"{words[1]}/ledger.log can't be used: {error}; repair or move it")
    loop.Loop(words[2] if len(words) == 3 else "", int(words[0]), ledger.answer).run()


if __name__ == "__main__":
    main(sys.argv)
