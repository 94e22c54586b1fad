# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""known_hosts: one line for a VM, never a foreign one touched, never a half file."""

from __future__ import annotations

import os
import stat
import threading

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._shared import known_hosts

KEY = "ssh-ed25519 " + "A" * 68
OTHER = "ssh-ed25519 " + "B" * 68
FOREIGN = "# mine\ngit.example " + KEY + "\n"


def test_a_key_is_added_once_and_the_rest_stays():
    once = known_hosts.changed_text(FOREIGN, "shop-n1", "10.0.0.2", KEY)
    assert once == FOREIGN + f"10.0.0.2,shop-n1 {KEY}\n"
    assert known_hosts.changed_text(once, "shop-n1", "10.0.0.2", KEY) == once


def test_an_old_key_of_the_name_and_one_of_the_address_go():
    text = f"10.0.0.9,shop-n1 {OTHER}\n10.0.0.2,shop-n7 {OTHER}\n"
    assert known_hosts.changed_text(text, "shop-n1", "10.0.0.2", KEY) == f"10.0.0.2,shop-n1 {KEY}\n"


def test_a_doubled_line_becomes_one():
    text = f"10.0.0.2,shop-n1 {KEY}\n" * 2
    assert known_hosts.changed_text(text, "shop-n1", "10.0.0.2", KEY) == f"10.0.0.2,shop-n1 {KEY}\n"


def test_without_a_key_the_line_goes_even_when_the_address_is_forgotten():
    text = FOREIGN + f"10.0.0.2,shop-n1 {KEY}\n"
    assert known_hosts.changed_text(text, "shop-n1", None, None) == FOREIGN


@pytest.mark.parametrize(
    ("name", "address", "key"),
    [("a\nb", "10.0.0.2", KEY), ("a", "10.0.0.2\n* ", KEY), ("a", "10.0.0.2", KEY + "\nevil " + KEY), ("a,*", "1", KEY), ("a", "1", "x y")],
)
def test_a_value_that_would_pin_another_host_is_refused(name, address, key):
    with pytest.raises(ValueError, match="known_hosts|public SSH key"):
        known_hosts.line(name, address, key)


def test_a_rendered_file_is_sorted_and_leaves_out_what_has_no_key():
    vms = [{"name": "b", "address": "10.0.0.3", "host_key": KEY}, {"name": "a", "address": "10.0.0.2", "host_key": KEY}]
    text = known_hosts.render([*vms, {"name": "c", "address": "10.0.0.4", "host_key": None}])
    assert text == f"10.0.0.2,a {KEY}\n10.0.0.3,b {KEY}\n"


def test_an_update_tells_whether_it_changed_the_file(tmp_path):
    path = str(tmp_path / "state" / "known_hosts")
    assert known_hosts.update(path, "a", "10.0.0.2", None) is False
    assert not os.path.exists(path)
    assert known_hosts.update(path, "a", "10.0.0.2", KEY) is True
    assert known_hosts.update(path, "a", "10.0.0.2", KEY) is False
    assert known_hosts.update(path, "a", None, None) is True
    assert known_hosts.read(path) == ""
    assert stat.S_IMODE(os.stat(tmp_path / "state").st_mode) == 0o700
    assert os.listdir(tmp_path / "state") == ["known_hosts"]


def test_many_at_once_lose_no_line(tmp_path):
    path = str(tmp_path / "known_hosts")
    threads = [threading.Thread(target=known_hosts.update, args=(path, f"n{i}", f"10.0.0.{i}", KEY)) for i in range(1, 31)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(known_hosts.read(path).splitlines()) == 30


@pytest.mark.parametrize(
    "theirs",
    [
        "# Jürgen's gateway\n".encode("latin-1") + b"192.0.2.9,old " + OTHER.encode() + b"\n",
        "# one\u2028two\x0bthree\x85four\x1cfive\n".encode(),
        b"# by a DOS editor\r\n192.0.2.9\told\r\n",
        b"\n\n   # indented\n|1|hash=|hash= " + OTHER.encode() + b"\n@cert-authority *.example " + OTHER.encode() + b"\n",
        b"\xff\xfe\x00\n",
    ],
)
def test_lines_of_people_are_kept_byte_by_byte(tmp_path, theirs):
    path = tmp_path / "known_hosts"
    path.write_bytes(theirs)
    ours = f"10.0.0.2,shop-n1 {KEY}\n".encode()
    assert known_hosts.update(str(path), "shop-n1", "10.0.0.2", KEY) is True
    assert path.read_bytes() == theirs + ours
    assert known_hosts.update(str(path), "shop-n1", "10.0.0.2", KEY) is False
    assert known_hosts.update(str(path), "shop-n1", None, None) is True
    assert path.read_bytes() == theirs


def test_a_last_line_without_an_end_gets_one_and_a_line_with_tabs_is_found(tmp_path):
    path = tmp_path / "known_hosts"
    path.write_bytes(f"10.0.0.2,shop-n1\t{OTHER}\ngit.example {OTHER}".encode())
    assert known_hosts.update(str(path), "shop-n1", "10.0.0.2", KEY) is True
    assert path.read_text() == f"git.example {OTHER}\n10.0.0.2,shop-n1 {KEY}\n"
