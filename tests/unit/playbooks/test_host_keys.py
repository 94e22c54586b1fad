# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Host keys are checked where AWX, or the project that uses the collection, switches that off: ssh itself says what it was told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.playbooks.a_run import a_run
from tests.unit.ssh_seen import LOOSE, ROOT, call, seen

KEY = "ssh-ed25519 " + "A" * 68
VM = {
    "name": "shop-n1",
    "cluster": "shop",
    "host": "hv1",
    "uri": "test:///default",
    "address": "192.0.2.7",
    "host_key": KEY,
    "role": "member",
}
# What may stand in the variables of all hosts.
GROUP = {"nothing": {}, "the other name of the variable": {"ansible_ssh_host_key_checking": False}}


def a_play(hosts: str, tasks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"name": hosts, "hosts": hosts, "gather_facts": False, "tasks": tasks, **more}


def try_to_reach(folder: Path, first: dict[str, Any], group: str) -> list[dict[str, str]]:
    """Plays the tasks that add hosts, then one that connects to them; what ssh was told."""
    (folder / "group_vars").mkdir()
    (folder / "group_vars" / "all.json").write_text(json.dumps(GROUP[group]))
    plays = [{**first, "connection": "local"}, a_play("all:!localhost", [{"ansible.builtin.raw": "true"}])]
    (folder / "play.json").write_text(json.dumps(plays))
    told = call("ansible-playbook", "-i", "localhost,", folder / "play.json", folder=folder)
    assert "UNREACHABLE" in told, told
    return seen(folder)


def assert_strict(calls: list[dict[str, str]], known_hosts: str) -> None:
    assert calls
    for options in calls:
        # ssh prints a value of yes as true.
        assert options["stricthostkeychecking"] in ("true", "yes")
        assert options["userknownhostsfile"].strip('"') == known_hosts


@pytest.mark.parametrize("group", GROUP)
@pytest.mark.parametrize("loose", LOOSE)
def test_the_vms_of_the_playbooks_are_checked_strictly(loose: str, group: str, tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text(LOOSE[loose])
    file = {"name": "shop", "access": {"user": "root", "state_dir": str(tmp_path / "state")}, "hosts": []}
    tasks = [{"ansible.builtin.include_tasks": str(ROOT / "playbooks" / "tasks" / "hosts.yml")}]
    variables = {
        "ondemand_run": a_run(vms=[VM]),
        "ondemand_file": file,
        "ondemand_state_dir": str(tmp_path / "state"),
    }
    calls = try_to_reach(tmp_path, a_play("localhost", tasks, vars=variables), group)
    assert_strict(calls, f"{tmp_path}/state/known_hosts")


def test_the_actions_of_the_cluster_check_as_strictly(tmp_path: Path) -> None:
    """They open connections of their own, from the controller."""
    (tmp_path / "ansible.cfg").write_text(LOOSE["a project's arguments of ssh"])
    access = {"user": "root", "state_dir": str(tmp_path / "state")}
    add = "{{ {'name': 'shop-n1'} | combine(vm | ondemand.cluster.host_vars({'access': access})) }}"
    tasks = [{"ansible.builtin.add_host": add}, {"ondemand.cluster.cluster_info": {"members": ["shop-n1"]}}]
    play = a_play("localhost", tasks, connection="local", vars={"vm": VM, "access": access})
    (tmp_path / "play.json").write_text(json.dumps([play]))
    told = call("ansible-playbook", "-i", "localhost,", tmp_path / "play.json", folder=tmp_path)
    assert "host_unreachable" in told, told
    assert_strict(seen(tmp_path), f"{tmp_path}/state/known_hosts")


@pytest.mark.parametrize("loose", LOOSE)
def test_the_vm_that_an_image_is_built_in_is_checked_strictly(loose: str, tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text(LOOSE[loose])
    block = yaml.safe_load((ROOT / "roles" / "image" / "tasks" / "node.yml").read_text())[-1]["block"]
    tasks = [task for task in block if "ansible.builtin.add_host" in task]
    access = {"user": "root", "state_dir": str(tmp_path / "state")}
    file = {"__image_vm": VM, "__image_booted": {"vm": VM}, "__image": {"plan": {"access": access}}}
    calls = try_to_reach(tmp_path, a_play("localhost", tasks, vars=file), "nothing")
    assert_strict(calls, f"{tmp_path}/state/known_hosts")


def test_the_vm_that_an_image_is_built_in_is_on_the_bridge_of_its_host(tmp_path: Path) -> None:
    block = yaml.safe_load((ROOT / "roles" / "image" / "tasks" / "node.yml").read_text())[-1]["block"]
    network = next(task["ondemand.cluster.vm"]["network"] for task in block if "network" in task.get("ondemand.cluster.vm", {}))
    hosts = [{"name": "hv1"}, {"name": "hv2", "bridge": "vmbr7"}]
    vm = {**VM, "host": "hv2", "prefix": 24}
    given = {"__image_vm": vm, "image_network": {"bridge": "br0"}, "image_hosts": hosts}
    play = a_play("localhost", [{"ansible.builtin.debug": {"msg": network}}], vars=given)
    (tmp_path / "ansible.cfg").write_text("")
    (tmp_path / "play.json").write_text(json.dumps([play]))
    told = call("ansible-playbook", "-i", "localhost,", tmp_path / "play.json", folder=tmp_path)
    assert '"bridge": "vmbr7"' in told, told


def test_a_jump_host_reaches_the_vms_by_ssh_extra_args(tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text("[ssh_connection]\nssh_extra_args = -o ProxyJump=gate.example\n")
    access = {"user": "root", "state_dir": str(tmp_path / "state")}
    add = "{{ {'name': 'shop-n1'} | combine(vm | ondemand.cluster.host_vars({'access': access})) }}"
    play = a_play("localhost", [{"ansible.builtin.add_host": add}], vars={"vm": VM, "access": access})
    calls = try_to_reach(tmp_path, play, "nothing")
    assert_strict(calls, f"{tmp_path}/state/known_hosts")
    assert {options["proxyjump"] for options in calls} == {"gate.example"}


def test_the_hosts_are_checked_as_ssh_is_configured(tmp_path: Path) -> None:
    """No known_hosts file is named for hypervisors and nothing is loosened: an unknown one is asked about, and nobody answers."""
    file = yaml.safe_load((ROOT / "examples" / "demo.yml").read_text())
    file["cluster"]["hosts"] = [{"name": "hv1", "uri": "qemu+ssh://root@192.0.2.1/system"}]
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(file))
    told = call(
        "ansible-playbook", "-i", "localhost,", ROOT / "playbooks" / "prepare_host.yml", "-e", f"@{tmp_path}/shop.yml", folder=tmp_path
    )
    assert "UNREACHABLE" in told, told
    calls = seen(tmp_path)
    assert {options["hostname"] for options in calls} == {"192.0.2.1"}
    assert {options["stricthostkeychecking"] for options in calls} == {"ask"}
