# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The gate at boot: a node that the others let go while it was away does not start Corosync.

    gate.py tell [FOLDER]         answers on the UDP socket that systemd hands over: whom corosync.conf lists here
    gate.py ask PORT [FOLDER]     asks the other nodes of corosync.conf; exit code 77 where one of them let this node go

A question is random, and as long as any answer may be, so nobody can have more sent elsewhere than he sends himself. An answer is sealed with
Corosync's key over the question; what isn't counts as none. Who has no answer starts as ever: after a power cut nobody is there to answer yet.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import socket
import sys
import threading
import time

CONF_FOLDER = "/etc/corosync"
KIND = b"ondemand gate 1\0"
QUESTION = 1024
SEAL = 64
"""hexadecimal digits of an answer's HMAC-SHA256, before what it tells"""
KEY_LEAST = 128
"""bytes; Corosync takes no shorter key"""
WAIT_S = 3.0
AGAIN_S = 0.3
LET_GO = 77
# As plugin_utils/_cluster/corosync_conf.py writes it. An id is not given twice: who knows a higher one and doesn't list ours has let us go,
# who knows none as high never heard of us (its file is older than our join).
HIGHEST = re.compile("# highest node id ever given: *([0-9]+)")
ADDRESS = re.compile("ring[0-9]+_addr")


def read_conf(folder):
    """The nodes of corosync.conf as it is now, each a dict, and what is told of it. OSError without one, ValueError where it is torn."""
    with open(os.path.join(folder, "corosync.conf"), encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file.read().split("\n")]
    cluster, highest, nodes, path = "", 0, [], []
    for line in lines:
        key, _colon, value = (part.strip() for part in line.partition(":"))
        if line.startswith("#"):
            noted = HIGHEST.match(line)
            highest = max(highest, int(noted.group(1))) if noted else highest
        elif line.endswith("{"):
            path.append(line[:-1].strip())
            nodes += [{}] if path == ["nodelist", "node"] else []
        elif line == "}":
            path.pop()
        elif path == ["nodelist", "node"]:
            nodes[-1][key] = value
        elif path == ["totem"] and key == "cluster_name":
            cluster = value
    if path or not nodes:
        raise ValueError("corosync.conf lists no nodes, or ends in the middle")
    ids = sorted(id_of(node) for node in nodes)
    return nodes, {"cluster": cluster, "ids": ids, "highest": max(highest, *ids)}


def id_of(node):
    """The number of a node; 0, which no node has, where none is written."""
    return int(node.get("nodeid", 0))


def addresses_of(node):
    """Its address on each of its links."""
    return [node[key] for key in node if ADDRESS.fullmatch(key)]


def read_key(folder):
    """Corosync's key. ValueError for one that is cut off: anybody could seal with it."""
    with open(os.path.join(folder, "authkey"), "rb") as file:
        key = file.read()
    if len(key) < KEY_LEAST:
        raise ValueError("authkey is too short")
    return key


def seal(key, question, told):
    """What only a member can write over what it tells, for this question."""
    return hmac.new(key, KIND + question + told, "sha256").hexdigest().encode()


def tell(listening, folder):
    """Answer questions, by the files as they are at that moment. Whose files say nothing is silent.

    It stays once it was asked: on a busy emulated VM it may start more slowly than the next one waits.
    """
    while True:
        question, asker = listening.recvfrom(QUESTION + 1)
        if len(question) != QUESTION:
            continue
        try:
            told = json.dumps(read_conf(folder)[1]).encode()
            answer = seal(read_key(folder), question, told) + told
            if len(answer) <= QUESTION:
                listening.sendto(answer, asker)
        except (OSError, ValueError, LookupError):
            continue


def hear(address, port, key, end):
    """What the node at an address tells; None where no answer that is sealed came in time."""
    question = os.urandom(QUESTION)
    asking = None
    while time.monotonic() < end:
        again = time.monotonic() + AGAIN_S
        try:
            if asking is None:
                family, _kind, _protocol, _name, where = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
                asking = socket.socket(family, socket.SOCK_DGRAM)
                asking.settimeout(AGAIN_S)
            asking.sendto(question, where)
            while time.monotonic() < again:
                answer = asking.recv(QUESTION)
                if hmac.compare_digest(answer[:SEAL], seal(key, question, answer[SEAL:])):
                    return json.loads(answer[SEAL:].decode())
        except (OSError, UnicodeError):
            # The network may not be there yet, or the other one not.
            time.sleep(max(0.0, again - time.monotonic()))
    return None


def answers_of(peers, port, key):
    """What each of the nodes tells that answer in time, by their place in the list. All links are asked at once; the first answer counts."""
    end = time.monotonic() + WAIT_S
    answers = {}

    def keep(place, address):
        told = hear(address, port, key, end)
        if told is not None:
            answers.setdefault(place, told)

    for place, peer in enumerate(peers):
        for address in addresses_of(peer):
            # They end with the program: a name service that is not there would hold it for longer.
            threading.Thread(target=keep, args=(place, address), daemon=True).start()
    while len(answers) < len(peers) and time.monotonic() < end:
        time.sleep(0.02)
    return dict(answers)


def own_node(nodes):
    """The entry of this node, found as Corosync does: by the host's name, with and without domain, then by an address; None if there is none."""
    name = os.uname().nodename
    for wanted in (name, name.split(".")[0]):
        for node in nodes:
            if wanted in (node.get("name"), node.get("ring0_addr")):
                return node
    return next((node for node in nodes if any(is_here(address) for address in addresses_of(node))), None)


def is_here(address):
    """Whether an address is this host's own: then it is also the one that would be used to reach it. Nothing is sent, and no name looked up."""
    try:
        family, _kind, _protocol, _name, where = socket.getaddrinfo(address, 9, 0, socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.connect(where)
            return trial.getsockname()[0] == where[0]
    except OSError:
        return False


def has_let_go(told, own, number):
    """Whether an answer is of our cluster, and of a member that knew our number and lists it no more."""
    return told["cluster"] == own["cluster"] and number not in told["ids"] and told["highest"] >= number > 0


def name_of(node):
    """What a node is called in a sentence."""
    return "%s (node id %s)" % (node.get("name") or node.get("ring0_addr"), node.get("nodeid"))


def ask(port, folder):
    """The exit code: whether Corosync may start here. Says why, in a sentence for the journal."""
    nodes, own = read_conf(folder)
    mine = own_node(nodes)
    peers = [node for node in nodes if node is not mine]
    answers = answers_of(peers, port, read_key(folder))
    mine = mine or own_node(nodes)
    refusing = [name_of(peers[place]) for place, told in answers.items() if mine and has_let_go(told, own, id_of(mine))]
    if refusing:
        sentence = (
            "Corosync and Pacemaker do not start here, because this node was let go while it was away: the cluster %s lists %s no longer, says %s. "
            "Delete this VM (recover_cluster does so), or let the node join anew (cluster_node with state member)."
        )
        print(sentence % (own["cluster"], name_of(mine), ", ".join(refusing)))
        return LET_GO
    print("Corosync may start: of %d other nodes %d answered, and none has let this node go." % (len(peers), len(answers)))
    return 0


def main(mode, *arguments):
    """Entry point; see the top."""
    if mode == "tell":
        tell(socket.socket(fileno=3), *(arguments or [CONF_FOLDER]))
        return 0
    port, *folder = arguments
    return ask(int(port), *(folder or [CONF_FOLDER]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
