# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Where one member's load balancer doesn't learn the services, nothing of them comes up; a change of a load balancer alone is a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.playbooks.wall_stage import Stage, domain, record

FAILS = """---
- name: Tell that nothing was changed
  ansible.builtin.set_fact:
    load_balancer_result: {busy: [], changed: false}

- name: Fail on one member
  ansible.builtin.fail: {msg: HAProxy refuses it}
  when: inventory_hostname == 'cell-n2'
"""
RELOADED = """---
- name: Tell of a change on one member
  ansible.builtin.set_fact:
    load_balancer_result: {busy: [], changed: "{{ inventory_hostname == 'cell-n2' }}"}
"""
NOTED = """---
- name: Note that Pacemaker was changed
  ansible.builtin.copy: {content: yes, dest: "{{ playbook_dir }}/../configured", mode: "0600"}
  register: service_result
"""
TAKEN_TO_NOTE = """---
- name: Note that a load balancer was changed
  ansible.builtin.copy: {content: yes, dest: "{{ playbook_dir }}/../reloaded", mode: "0600"}
  register: load_balancer_result
"""
NOT_TAKEN = """---
- name: Refuse the configuration
  ansible.builtin.fail: {msg: one is in two groups}
"""
UNCHANGED = """---
- name: Tell that nothing was changed
  ansible.builtin.set_fact:
    service_result: {changed: false}
"""


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Two members."""
    made = Stage(tmp_path, monkeypatch.setenv)
    made.hosts({"hv1": [domain(1), domain(2)]}, [f"cell-n{number}{end}" for number in (1, 2) for end in (".qcow2", "-seed.iso")])
    for number in (1, 2):
        made.says(number, record())
    return made


def test_nothing_comes_up_beside_a_load_balancer_that_does_not_know_it(stage: Stage) -> None:
    (stage.collection / "roles/load_balancer/tasks/main.yml").write_text(FAILS)
    (stage.collection / "roles/service/tasks/main.yml").write_text(NOTED)
    done = stage.play("configure_services")
    assert not done.ok and "HAProxy refuses it" in done.because, done.because
    assert not (stage.collection / "configured").exists()
    assert "end cell-n" in (stage.collection / "lease_asked").read_text(), "the lease is given back"


def test_a_change_of_a_load_balancer_alone_is_one(stage: Stage) -> None:
    (stage.collection / "roles/load_balancer/tasks/main.yml").write_text(RELOADED)
    (stage.collection / "roles/service/tasks/main.yml").write_text(UNCHANGED)
    done = stage.play("configure_services")
    assert done.ok and done.facts["changed"] is True, (done.because, done.facts)


def test_what_pacemaker_will_not_take_is_refused_before_a_load_balancer_is_changed(stage: Stage) -> None:
    (stage.collection / "roles/load_balancer/tasks/main.yml").write_text(TAKEN_TO_NOTE)
    (stage.collection / "roles/service/tasks/main.yml").write_text(NOT_TAKEN)
    done = stage.play("configure_services")
    assert not done.ok and "one is in two groups" in done.because, done.because
    assert not (stage.collection / "reloaded").exists()
    assert "end cell-n" in (stage.collection / "lease_asked").read_text(), "the lease is given back"
