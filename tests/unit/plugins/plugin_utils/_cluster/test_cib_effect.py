# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What is told of values that were written and do not count. How they are planned: test_cib_values.py."""

from __future__ import annotations

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib import CibError
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.cib_effect import why_not_in_effect

POLICY = ("properties", "no-quorum-policy", "stop")
STICKY = ("resource_defaults", "resource-stickiness", "100")


def said(policy: str = "stop", goes_by: str = 'no-quorum-policy="stop"', sticky: str = "100") -> str:
    """What push_cib prints, with words of crm_verify before it."""
    return (
        "wanted: odd\n<effect>\n"
        f'<crm_config><cluster_property_set id="p"><nvpair id="a" name="no-quorum-policy" value="{policy}"/>'
        f'<nvpair id="b" name="batch-limit" value="4"/></cluster_property_set></crm_config>'
        f'<rsc_defaults><meta_attributes id="d"><nvpair id="c" name="resource-stickiness" value="{sticky}"/></meta_attributes></rsc_defaults>'
        f"{f'<cluster_options {goes_by}/>' if goes_by else ''}</effect>\n"
    )


@pytest.mark.parametrize(
    ("text", "awaited", "why"),
    [
        (said(), [POLICY, STICKY], ""),
        (said(goes_by=""), [POLICY], ""),
        (said(goes_by='batch-limit="0"'), [("properties", "batch-limit", "4")], ""),
        (said("suicide", 'no-quorum-policy="fence"'), [("properties", "no-quorum-policy", "suicide")], ""),
        (said("freeze"), [POLICY], "no-quorum-policy is freeze and not stop (somebody else wrote it)"),
        (
            said(goes_by='no-quorum-policy="ignore"'),
            [POLICY],
            "Pacemaker goes by no-quorum-policy=ignore and not by stop, which was written",
        ),
        (said(sticky="0"), [POLICY, STICKY], "resource-stickiness is 0 and not 100 (somebody else wrote it)"),
        (said("fence", 'no-quorum-policy="stop"'), [("properties", "no-quorum-policy", "fence")], ""),
        ("<effect></effect>", [POLICY, STICKY], ""),
        (said(), [("operation_defaults", "timeout", "9s")], "timeout is gone and not 9s (somebody else wrote it)"),
    ],
)
def test_what_does_not_count_is_told_with_what_does(text: str, awaited: list[tuple[str, str, str]], why: str) -> None:
    assert why_not_in_effect(text, awaited) == why


@pytest.mark.parametrize("name", ["stonith-enabled", "symmetric-cluster", "maintenance-mode", "stop-all-resources"])
@pytest.mark.parametrize(
    ("word", "other"),
    [*((one, "false") for one in ("true", "True", "yes", "on", "1", "y")), *((one, "true") for one in ("false", "no", "off", "0", "n"))],
)
def test_a_yes_is_a_yes_however_it_is_written(name: str, word: str, other: str) -> None:
    text = said().replace("no-quorum-policy", name).replace('"stop"', '"%s"')
    same = {"true": "false", "false": "true"}[other]
    assert why_not_in_effect(text % (word, same), [("properties", name, word)]) == ""
    assert f"goes by {name}={other}" in why_not_in_effect(text % (word, other), [("properties", name, word)])


@pytest.mark.parametrize("told", ["stonith-enabled", "fencing-enabled"])
@pytest.mark.parametrize("written", ["stonith-enabled", "fencing-enabled"])
def test_a_property_with_two_names_is_told_by_either(told: str, written: str) -> None:
    text = said("true", f'{told}="%s"').replace("no-quorum-policy", written)
    assert why_not_in_effect(text % "true", [("properties", written, "true")]) == ""
    assert f"goes by {written}=false" in why_not_in_effect(text % "false", [("properties", written, "true")])


def test_a_default_is_not_measured_by_a_property_of_its_name() -> None:
    text = said(goes_by='maintenance-mode="false"').replace("resource-stickiness", "maintenance-mode")
    assert why_not_in_effect(text, [("resource_defaults", "maintenance-mode", "100")]) == ""


def test_of_two_sets_of_one_score_both_are_looked_at() -> None:
    both = said().replace(
        "</crm_config>",
        '<cluster_property_set id="q"><nvpair id="z" name="no-quorum-policy" value="ignore"/></cluster_property_set></crm_config>',
    )
    assert why_not_in_effect(both, [POLICY]) == "no-quorum-policy is ignore and stop and not stop (somebody else wrote it)"


@pytest.mark.parametrize("text", ["", "crm_verify said something", "<cib/>"])
def test_no_answer_is_not_taken_for_a_good_one(text: str) -> None:
    with pytest.raises(CibError):
        why_not_in_effect(text, [POLICY])
