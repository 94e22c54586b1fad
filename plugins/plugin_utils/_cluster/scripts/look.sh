# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Functions for the scripts that wait on a member: between two looks they breathe.
#   look: writes crm_mon's XML to $d/seen; is_idle: whether the DC has nothing to do at all (after a look; an answer that is late counts as
#   none); rested: looks, and tells whether Pacemaker has nothing left to do with $resources (see progress.sh), whatever else it does;
#   up: of the last look, "RESOURCE NODE" for each that runs without trouble.

# shellcheck source=progress.sh
. ./progress.sh
umask 077
d=$(mktemp -d) || exit 70
look() { ask crm_mon --one-shot --output-as=xml >"$d/new" && mv "$d/new" "$d/seen"; }
tick() { seconds; }
dc() { sed -n 's/.*<current_dc .* name="\([^"]*\)".*/\1/p' "$d/seen"; }
is_idle() { idle "$(dc)"; }
# shellcheck disable=SC2154  # resources: of whoever uses this
rested() {
  _left=$(ahead_of "" "$resources" "") || return 1
  if [ -n "$_left" ]; then look && stuck "$_left" "$(dc)" || return 1; fi
  look
}
up() {
  awk '
    function value(name) { return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : "" }
    /<resource / { id = value("id"); role = value("role")
      if (role !~ /^(Started|Promoted|Unpromoted|Master|Slave)$/ || value("failed") == "true" || value("pending") !~ /^(Monitoring)?$/) id = "" }
    /<node / && id != "" { print id, value("name") }
    /<\/resource>/ { id = "" }' "$d/seen"
}
