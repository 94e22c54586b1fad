# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The state directory has more readers than one: whatever the check takes reaches ssh as it is, and ssh itself is asked."""

from __future__ import annotations

import copy
import shlex
import subprocess

import pytest
from ansible_collections.ondemand.cluster.plugins.action.cluster_check import check, home_problems
from ansible_collections.ondemand.cluster.plugins.filter.host_vars import host_vars

from tests.driver.values import demo_data

VM = {"name": "shop-n1", "cluster": "shop", "address": "10.0.0.2", "host_key": "ssh-ed25519 AAAA"}
SIGNS = " %#$~\"'\\;,=@:+-_.()[]{}!*?&|<>`^é"


def cluster(state_dir):
    """The demo's cluster with this state directory."""
    made = copy.deepcopy(demo_data()["cluster"])
    made["access"] = {"state_dir": state_dir}
    return made


def as_ssh_reads(state_dir):
    """(known_hosts, key) as ssh understands the host variables of a VM, the key given as Ansible gives it."""
    variables = host_vars(VM, cluster(state_dir))
    key = 'IdentityFile="%s"' % variables["ansible_ssh_private_key_file"].replace('"', '\\"')
    words = ["ssh", "-G", "-F", "none", *shlex.split(variables["ansible_ssh_common_args"]), "-o", key, VM["address"]]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    values = dict(line.split(" ", 1) for line in told.splitlines() if " " in line)
    return values.get("userknownhostsfile"), values.get("identityfile")


@pytest.mark.parametrize("sign", SIGNS)
def test_a_path_that_the_check_takes_reaches_ssh_as_it_is(sign):
    path = "/srv/a%sb/%sc" % (sign, sign)
    refused = [one["path"] for one in check({"cluster": cluster(path)})]
    if refused:
        assert refused == ["cluster.access.state_dir"]
    else:
        assert as_ssh_reads(path) == (path + "/known_hosts", path + "/id_ed25519")


def test_what_is_refused_is_what_somebody_would_fill_in_and_a_common_path_is_not():
    assert check({"cluster": cluster("/srv/A-b_c.d@e+f=g:h,i/1")}) == []
    (told,) = check({"cluster": cluster("/srv/50%/shop")})
    assert "the sign %, which ssh would fill in" in told["problem"]


@pytest.mark.parametrize("home", ["/home/50%", '/home/a"b', "/home/$USER"])
def test_a_home_that_would_be_filled_in_is_refused_and_others_are_read_as_they_are(home, monkeypatch):
    monkeypatch.setenv("HOME", home)
    assert [one["path"] for one in home_problems(cluster("~/shop"))] == ["cluster.access.state_dir"]
    monkeypatch.setenv("HOME", "/home/Zoë B's")
    assert home_problems(cluster("~/shop")) == []
    assert as_ssh_reads("~/shop")[0] == "/home/Zoë B's/shop/known_hosts"
