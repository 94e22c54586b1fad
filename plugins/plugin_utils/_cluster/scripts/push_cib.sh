# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# $1: check or push; $2: ADMIN_EPOCH:EPOCH that was planned from; $3: values, where what counts is to be told after a push, or nothing.
# stdin: original, a marker line, wanted (both without status).
# The patch names the version that it starts from, so Pacemaker takes it only if nothing has changed since: compare and swap. Only
# num_updates, which every reported status raises, is read just before; the loop is for statuses that come in between.
# What counts is told in the same trip: the sets of properties and defaults, and by which properties Pacemaker goes (crm_mon weighs scores
# and rules; crm_attribute only lists). Another member may have the new CIB a moment before this one. What begins with ondemand- may be a token.

umask 077
d=$(mktemp -d) || exit 70
trap 'rm -rf "$d"' EXIT
trap 'exit 71' HUP INT TERM PIPE
awk -v d="$d" '$0 == "=====wanted=====" { second = 1; next } { print > (second ? d "/wanted" : d "/original") }'
if ! crm_verify -V -x "$d/wanted" >"$d/said" 2>&1; then
  crm_verify -V -x "$d/original" >"$d/said_before" 2>&1
  sed 's/^/wanted: /' "$d/said"
  sed 's/^/original: /' "$d/said_before"
  for f in said said_before; do sed 's#^[^ ]*/\(wanted\|original\):[0-9]*: ##' "$d/$f" | sort -u >"$d/$f.told"; done
  [ -z "$(comm -23 "$d/said.told" "$d/said_before.told")" ] || exit 65
fi
[ "$1" = push ] || exit 0
value() { printf '%s\n' "$root" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" | head -n 1; }
is_old() { root=$(cibadmin --query --no-children) && [ "$(value admin_epoch):$(value epoch)" = "$1" ]; }
tell_values() {
  for _look in 1 2 3 4 5 6 7 8 9 10; do is_old "$1" || break; sleep 0.1; done
  echo '<effect>'
  for part in crm_config rsc_defaults op_defaults; do cibadmin --query --scope "$part" 2>/dev/null | sed '/ name="ondemand-/d'; done
  timeout 10 crm_mon --one-shot --output-as=xml 2>/dev/null | sed -n 's/.*\(<cluster_options [^>]*\/>\).*/\1/p'
  echo '</effect>'
}
for _try in 1 2 3 4 5 6 7 8 9 10; do
  root=$(cibadmin --query --no-children) || exit 72
  [ "$(value admin_epoch):$(value epoch)" = "$2" ] || exit 75
  sed "1s/ num_updates=\"[0-9]*\"/ num_updates=\"$(value num_updates)\"/" "$d/original" >"$d/from"
  crm_diff --original "$d/from" --new "$d/wanted" >"$d/patch"
  if cibadmin --patch --xml-file "$d/patch" >"$d/said" 2>&1; then
    [ "$3" != values ] || tell_values "$2"
    exit 0
  fi
  sleep 0.1
done
cat "$d/said" >&2
exit 73
