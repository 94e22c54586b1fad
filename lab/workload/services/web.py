# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The demo's balanced service: answers each transaction with its number and the node that carried it.

python3 -SE web.py PORT [ADDRESS]
"""

import os
import sys

import loop


def answer(node, requests):
    """Returns one (status, body) per request; `node` is the name that the answer carries. Pure."""
    answers = []
    for request in requests:
        transaction = loop.parse_transaction(request.path)
        if request.method not in ("GET", "POST", "HEAD", "OPTIONS"):
            answers.append((405, loop.render_object(problem="GET or POST only")))
        elif request.path == "/health":
            answers.append((200, loop.render_object(node=node)))
        elif transaction:
            answers.append((200, loop.render_object(client=transaction[0], number=int(transaction[1]), node=node)))
        else:
            answers.append((404, loop.render_object(problem="there is /health and /t/CLIENT/NUMBER")))
    return answers


def main(argv):
    """Serves until SIGTERM."""
    if len(argv) not in (2, 3) or not argv[1].isdigit():
        sys.exit("usage: web.py PORT [ADDRESS]")
    node = os.uname().nodename
    loop.Loop(argv[2] if len(argv) == 3 else "", int(argv[1]), lambda requests: answer(node, requests)).run()


if __name__ == "__main__":
    main(sys.argv)
