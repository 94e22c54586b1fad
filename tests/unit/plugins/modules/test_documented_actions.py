# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Modules that are action plugins: plugins/modules has their documentation, plugins/action their code. Both tell the same options."""

from __future__ import annotations

import importlib
import typing as t

import pytest
import yaml

# cluster_check takes one option, whatever its shape, and tells what is wrong with it: tests/unit/plugins/modules/test_cluster_check.py.
ACTIONS = ["cluster_config", "cluster_info", "cluster_lease", "cluster_node", "image_plan", "load_balancer", "refuse", "service_move"]
BASE = "ansible_collections.ondemand.cluster.plugins"


def documented(name: str) -> dict[str, t.Any]:
    doc = yaml.safe_load(importlib.import_module(f"{BASE}.modules.{name}").DOCUMENTATION)
    options = dict(doc.get("options", {}))
    for fragment in doc.get("extends_documentation_fragment", []):
        file, part = (fragment.removeprefix("ondemand.cluster.").split(".") + ["documentation"])[:2]
        text = getattr(importlib.import_module(f"{BASE}.doc_fragments.{file}").ModuleDocFragment, part.upper())
        options.update(yaml.safe_load(text).get("options", {}))
    return options


def accepted(name: str) -> dict[str, t.Any]:
    module = importlib.import_module(f"{BASE}.action.{name}")
    return next(getattr(module, known) for known in ("ARGUMENTS", "ARGUMENT_SPEC") if hasattr(module, known))


def shape(options: t.Mapping[str, t.Any], below: str) -> dict[str, t.Any]:
    """What a user relies on of each option; options below options are under `below` (suboptions or options)."""
    return {
        key: {
            "type": one.get("type", "str"),
            "elements": one.get("elements"),
            "required": one.get("required", False),
            "default": one.get("default"),
            "choices": list(one["choices"]) if one.get("choices") else None,
            "below": shape(one.get(below) or {}, below),
        }
        for key, one in options.items()
    }


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_takes_what_its_documentation_tells(name: str) -> None:
    assert shape(accepted(name), "options") == shape(documented(name), "suboptions")
