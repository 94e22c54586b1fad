# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What every playbook and role has in common."""

from __future__ import annotations

import pathlib

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[3]
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
# Words of Ansible's that may stand in a task beside the module's own name.
ids = pytest.mark.parametrize


def plays(path):
    return yaml.safe_load(path.read_text())


@ids("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_playbook_gathers_no_facts(path):
    own = [play for play in plays(path) if "ansible.builtin.import_playbook" not in play]
    assert [play["name"] for play in own if play.get("gather_facts") is not False] == []


@ids("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_playbook_checks_the_cluster_file_first(path):
    first = plays(path)[0]
    assert first["hosts"] == "localhost"
    assert first["tasks"][0]["block"][0]["ansible.builtin.import_tasks"] == "tasks/check.yml"
    assert any("ondemand.cluster.cluster_check" in task for task in plays(ROOT / "playbooks" / "tasks" / "check.yml"))


@ids("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_playbook_has_its_page_with_steps_result_and_refusals(path):
    page = (ROOT / "docs" / "playbooks" / (path.stem + ".md")).read_text()
    assert page.split("\n")[1].strip() == "# " + path.stem
    assert [word for word in ("\n1. ", "## Variables", "## Result", "## Refusals", "`ondemand`") if word not in page] == []


@ids("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_playbook_hands_back_the_one_key(path):
    texts = [path.read_text()] + [
        task.read_text() for task in (ROOT / "playbooks" / "tasks").glob("*.yml") if task.name in path.read_text()
    ]
    assert any("set_stats" in text and "      ondemand:" in text for text in texts)


def test_every_shared_task_file_is_used():
    text = "".join(path.read_text() for path in (ROOT / "playbooks").rglob("*.yml"))
    unused = [path.name for path in (ROOT / "playbooks" / "tasks").glob("*.yml") if path.name not in text]
    assert unused == []


@ids("role", ROLES, ids=lambda path: path.name)
def test_a_role_describes_exactly_the_variables_that_it_has(role):
    options = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text())
    assert {name for name, option in options.items() if not option.get("required")} == set(defaults)
    assert [name for name in options if not name.startswith(role.name + "_")] == []
    assert {name: option["default"] for name, option in options.items() if "default" in option} == {
        name: defaults[name] for name, option in options.items() if "default" in option
    }


@ids("role", ROLES, ids=lambda path: path.name)
def test_a_role_has_its_page(role):
    assert (role / "README.md").read_text().split("\n")[1].strip() == "# " + role.name
