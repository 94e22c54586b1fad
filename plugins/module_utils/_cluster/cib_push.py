# Copyright: (c) 2026, the ondemand.cluster contributors
# BSD-2-Clause license (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How a wanted CIB gets into the cluster: a fixed script for a member, its input, and the reading of its answer. Pure."""

from __future__ import annotations

import re

INVALID = 65
CHANGED_MEANWHILE = 75
MARK = "=====wanted====="

# $1: check or push; $2: ADMIN_EPOCH:EPOCH that was planned from; stdin: original, a marker line, wanted (both without status).
# The patch names the version that it starts from, so Pacemaker takes it only if nothing has changed since: compare and swap. Only
# num_updates, which every reported status raises, is read just before; the loop is for statuses that come in between.
PUSH = (
    r"""
umask 077
d=$(mktemp -d) || exit 70
trap 'rm -rf "$d"' EXIT
trap 'exit 71' HUP INT TERM PIPE
awk -v d="$d" '$0 == "%s" { second = 1; next } { print > (second ? d "/wanted" : d "/original") }'
if ! crm_verify -V -x "$d/wanted" >"$d/said" 2>&1; then
  crm_verify -V -x "$d/original" >"$d/said_before" 2>&1
  sed 's/^/wanted: /' "$d/said"
  sed 's/^/original: /' "$d/said_before"
  for f in said said_before; do sed 's#^[^ ]*/\(wanted\|original\):[0-9]*: ##' "$d/$f" | sort -u >"$d/$f.told"; done
  [ -z "$(comm -23 "$d/said.told" "$d/said_before.told")" ] || exit 65
fi
[ "$1" = push ] || exit 0
for try in 1 2 3 4 5 6 7 8 9 10; do
  root=$(cibadmin --query --no-children) || exit 72
  value() { printf '%%s\n' "$root" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" | head -n 1; }
  [ "$(value admin_epoch):$(value epoch)" = "$2" ] || exit 75
  sed "1s/ num_updates=\"[0-9]*\"/ num_updates=\"$(value num_updates)\"/" "$d/original" >"$d/from"
  crm_diff --original "$d/from" --new "$d/wanted" >"$d/patch"
  cibadmin --patch --xml-file "$d/patch" >"$d/said" 2>&1 && exit 0
  sleep 0.1
done
cat "$d/said" >&2
exit 73
"""
    % MARK
)


# $@: primitives that are no longer configured. What the members remember of them goes, so that whatever is called like that later has no past.
FORGET = r"""
for one; do crm_resource --refresh --resource "$one" --force >/dev/null 2>&1; done
exit 0
"""


def push_input(original: str, wanted: str) -> str:
    """The script's input. A line of a serialised CIB never equals the marker: it would have to be text between two elements."""
    return "%s\n%s\n%s\n" % (original, MARK, wanted)


def verify_sentence(said: str) -> str:
    """What Pacemaker's own check found wrong with the wanted CIB and not with the present one, as a sentence."""

    def told(prefix: str) -> list[str]:
        lines = [line[len(prefix) :].strip() for line in said.splitlines() if line.startswith(prefix)]
        lines = [re.sub(r"^\S*/(wanted|original):\d+: ", "", re.sub(r"^\(\w+\)\s*", "", line)) for line in lines]
        return [re.sub(r"^error: ", "", line) for line in lines if line]

    old = told("original: ")
    new = [line for line in told("wanted: ") if line not in old]
    return "Pacemaker refuses the wanted configuration: %s. Nothing was changed; correct the config." % "; ".join(
        new or ["no reason given"]
    )
