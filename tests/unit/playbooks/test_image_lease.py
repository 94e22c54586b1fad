# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""One run at a time builds and publishes an image of one name on a host, and only as long as it still holds the lease of it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.unit.playbooks.wall_stage import Stage

# A module that notes that it was called, and for what.
NOTING = """#!/usr/bin/python
from pathlib import Path
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec={key: {"type": "raw"} for key in %(keys)r}, supports_check_mode=True)
if module.params.get("manifest"):
    (Path(%(top)r) / "named").open("a").write("%%s\\n" %% module.params["manifest"].get("name"))
with (Path(%(top)r) / "touched").open("a") as touched:
    touched.write("%(name)s %%s\\n" %% (module.params.get("state") or "there"))
if (Path(%(top)r) / "%(name)s_fails").exists():
    module.fail_json(msg="no room", refusal={"reason": "no_room", "sentence": "no room"})
module.exit_json(changed=True, vm={"name": "debian-12-node-build-n1", "address": "10.98.0.11", "host_key": "ssh-ed25519 A"})
"""
KEYS = {
    "image": ("uri", "pool", "name", "src", "kernel", "initrd", "manifest", "state"),
    "vm": (
        *("uri", "name", "cluster", "pool", "known_hosts", "state", "role", "host", "zone", "image", "vcpus", "memory_mib"),
        *("disk_cache", "network", "authorized_keys", "wait_s", "stop_s"),
    ),
}
# Another run has the lease since; what is done then.
LOSES = """---
- name: Lose the lease
  ansible.builtin.copy:
    content: theirs
    dest: "{{ playbook_dir }}/../hosts_lease"
    mode: "0600"
  delegate_to: localhost
"""
FAILS = """
- name: Fail
  ansible.builtin.fail:
    msg: the archive is away
"""
DUE = """
        half_keys: []
        key: "{{ playbook_dir }}/../answers/key"
        kernel: []
        stock:
          due: false
          name: debian-12-node-stock
          path: "{{ playbook_dir }}/../answers/image"
          files: {src: "{{ playbook_dir }}/../answers/image.qcow2"}
"""


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage on which it is noted what is done to images and VMs."""
    made = Stage(tmp_path, monkeypatch.setenv)
    for name, keys in KEYS.items():
        text = NOTING % {"keys": keys, "top": str(made.collection), "name": name}
        (made.collection / f"plugins/modules/{name}.py").write_text(text)
    made.file["cluster"]["deadlines"]["lease_s"] = 1
    return made


def due(stage: Stage) -> Path:
    """An image is to be built; gives the folder of the role's tasks."""
    tasks = stage.collection / "roles/image/tasks"
    check = (tasks / "check.yml").read_text()
    (tasks / "check.yml").write_text(check.replace("due: false", "due: true") + DUE.lstrip("\n"))
    for end in ("", ".pub"):
        (stage.collection / f"answers/key{end}").write_text("a key")
    return tasks


def lines(stage: Stage, name: str) -> list[str]:
    """What was noted."""
    file = stage.collection / name
    return file.read_text().splitlines() if file.exists() else []


def asked(stage: Stage) -> list[str]:
    """What was asked of the lease, always with one token and for the build's own cluster: nobody who changes cell waits for it."""
    told = [line.split() for line in lines(stage, "hosts_lease_asked")]
    assert len({token for _state, token in told}) <= 1
    assert set(lines(stage, "hosts_lease_of")) <= {"debian-12-node-build"}
    return [state for state, _token in told]


def test_it_is_held_while_an_image_is_published_and_given_back(stage: Stage) -> None:
    done = stage.play("build_image")
    assert done.ok, done.because
    assert asked(stage) == ["held", "kept", "free"]
    assert lines(stage, "touched") == ["image there", "image there"]
    assert not (stage.collection / "hosts_lease").exists()


def test_who_comes_second_does_nothing_and_is_told_so(stage: Stage) -> None:
    (stage.collection / "hosts_lease").write_text("theirs")
    done = stage.play("build_image")
    assert (done.ok, done.reason) == (False, "held"), done.because
    assert set(asked(stage)) == {"held"}, "what it does not hold it does not give back"
    assert lines(stage, "touched") == []


def test_after_a_wait_it_is_found_out_anew_what_there_is_to_do(stage: Stage) -> None:
    tasks = stage.collection / "roles/image/tasks"
    stage.file["cluster"]["deadlines"]["lease_s"] = 60
    note = (
        "- name: Note that it was asked\n  ansible.builtin.lineinfile: {path: '%s', line: '{{ now() }}', create: true, mode: '0600'}\n"
        % (stage.collection / "checked")
    )
    (tasks / "check.yml").write_text((tasks / "check.yml").read_text() + note)
    lease = stage.collection / "hosts_lease"
    lease.write_text("theirs")

    def other_run() -> None:
        until = time.monotonic() + 60
        while not lines(stage, "hosts_lease_asked") and time.monotonic() < until:
            time.sleep(0.1)
        lease.unlink()

    other = threading.Thread(target=other_run)
    other.start()
    done = stage.play("build_image")
    other.join()
    assert done.ok, done.because
    assert len(lines(stage, "checked")) == 2


def test_it_is_given_back_after_a_failure_which_is_told(stage: Stage) -> None:
    (stage.collection / "image_fails").touch()
    done = stage.play("build_image")
    assert (done.ok, done.reason) == (False, "no_room"), done.because
    assert asked(stage)[-1] == "free" and not (stage.collection / "hosts_lease").exists()


def test_who_lost_it_during_the_build_publishes_nothing_and_leaves_it_to_the_other(stage: Stage) -> None:
    (due(stage) / "build.yml").write_text(LOSES)
    done = stage.play("build_image")
    assert (done.ok, done.reason) == (False, "held"), done.because
    assert lines(stage, "touched") == []
    assert (stage.collection / "hosts_lease").read_text() == "theirs"


def test_a_build_keeps_it_before_it_makes_a_vm_before_it_furnishes_it_and_before_it_deletes_it(stage: Stage) -> None:
    (due(stage) / "furnish.yml").write_text("---" + FAILS)
    # The stock image was made for an image of another name.
    (stage.collection / "answers/image.json").write_text('{"name": "other-stock", "sha256": "0", "generation": 1, "boot": "firmware"}')
    done = stage.play("build_image")
    assert lines(stage, "named") == ["debian-12-node-stock"]
    assert not done.ok and "the archive is away" in done.because, done.because
    assert asked(stage) == ["held", "kept", "kept", "kept", "free"]
    assert lines(stage, "touched") == ["vm absent", "image absent", "image there", "vm there", "vm absent", "image absent"]


@pytest.mark.parametrize("after", ["stock", "boot", "furnish"])
def test_who_lost_it_touches_no_vm_any_more(stage: Stage, after: str) -> None:
    tasks = due(stage)
    if after == "stock":
        build = (tasks / "build.yml").read_text()
        (tasks / "stock_bootstrap.yml").write_text(LOSES)
        (tasks / "build.yml").write_text(build.replace("when: __image.plan.stock.due", "when: true"))
    elif after == "boot":
        node = (tasks / "node.yml").read_text()
        (tasks / "loses.yml").write_text(LOSES)
        lose = "    - name: Lose\n      ansible.builtin.include_tasks: loses.yml\n\n    - name: Tell Ansible how to reach it\n"
        (tasks / "node.yml").write_text(node.replace("    - name: Tell Ansible how to reach it\n", lose))
        (tasks / "furnish.yml").write_text("---" + FAILS)
    else:
        (tasks / "furnish.yml").write_text(LOSES + FAILS)
    done = stage.play("build_image")
    assert (done.ok, done.reason) == (False, "held"), done.because
    before = [] if after == "stock" else ["vm absent", "image absent", "image there", "vm there"]
    assert lines(stage, "touched") == before
