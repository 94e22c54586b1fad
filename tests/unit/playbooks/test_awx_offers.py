# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What AWX offers of the checkout as a playbook: it looks at each line of each YAML file, not at what the file means."""

from __future__ import annotations

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[3]
OURS = (
    "build_image",
    "configure_services",
    "create_cluster",
    "destroy_cluster",
    "move_service",
    "observe",
    "prepare_host",
    "recover_cluster",
    "scale_in",
    "scale_out",
    "what_if",
)
# AWX 24.6: a file with such a line, or one that a vault encrypted, is offered, unless one of its folders is hidden.
PLAYBOOK_LINE = re.compile(r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?include|(ansible\.builtin\.)?import_playbook):\s*?.*?$")
HIDDEN = {"tasks", "roles", "group_vars", "host_vars"}


def is_offered(path: str, text: str) -> bool:
    """Whether AWX takes a file of a project for a playbook."""
    *folders, name = path.split("/")
    hidden = any(folder in HIDDEN or folder.startswith(".") for folder in folders)
    if hidden or not name.endswith((".yml", ".yaml")):
        return False
    return text.startswith("$ANSIBLE_VAULT;") or any(PLAYBOOK_LINE.match(line) for line in text.splitlines())


def test_awx_offers_the_playbooks_and_nothing_else() -> None:
    listed = subprocess.run(["git", "ls-files", "-z", "--", "*.yml", "*.yaml"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [path for path in listed.stdout.split("\0") if (ROOT / path).is_file()]
    offered = [path for path in files if is_offered(path, (ROOT / path).read_text(errors="ignore"))]
    assert offered == [f"playbooks/{name}.yml" for name in OURS], 'write the key of any other file in quotes: "hosts":'


@pytest.mark.parametrize(
    ("path", "text", "offered"),
    [
        ("playbooks/observe.yml", "- name: Observe\n  hosts: localhost\n", True),
        ("playbooks/observe.yaml", "- hosts: all\n", True),
        ("site.yml", "- ansible.builtin.import_playbook: playbooks/observe.yml\n", True),
        ("shop.yml", "cluster:\n  hosts:\n    - {name: hv1}\n", True),
        ("secret.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n", True),
        ("shop.yml", 'cluster:\n  "hosts":\n    - {name: hv1}\n', False),
        ("playbooks/tasks/hosts.yml", "hosts: x\n", False),
        ("group_vars/all.yml", "cluster:\n  hosts: []\n", False),
        (".ci/play.yml", "- hosts: all\n", False),
        ("docs/awx.md", "hosts: x\n", False),
    ],
)
def test_a_line_makes_a_playbook(path: str, text: str, offered: bool) -> None:
    assert is_offered(path, text) is offered
