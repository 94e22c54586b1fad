# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# history: crm_mon with the operations that were done, without the time of the question: two equal ones mean that nothing happened.
# rest_of NODE RESOURCES MON DC: whether nothing is ahead there; if something is, $why says what.
# own NODE MON: what of the picture is the node's own, its operations among it.
# without_quorum MON: whether the part that was asked has had no quorum for thirty seconds. It starts nothing then (but where it is told to ignore
#   that), and nobody knows for how long; $why says so.
# kept_off NODE MON: Pacemaker has begun nothing there for 30 seconds. It carries out one change at a time, so a slow start somewhere else
#   keeps it from what is ahead here; a node that is what it should be does not wait for that.

# shellcheck source=sections.sh
. ./sections.sh
history() { _mon=$(ask crm_mon -1 --operations --output-as=xml) && printf '%s\n' "$_mon" | sed '/<last_update /d'; }
node_line() { printf '%s\n' "$1" | grep -F "<node name=\"$2\" " | grep -F 'online=' | head -n 1; }
rest_of() {
  if left=$(ahead_of "$1" "$2" "$3"); then
    [ -n "$left" ] || return 0
    why="Pacemaker has still to act with $(printf '%s\n' "$left" | paste -s -d, | sed 's/,/, /g') (DC ${4:-none})"
    stuck "$left" "$4"
  else why="Pacemaker did not tell what it has still to do (DC ${4:-none})"; return 1; fi
}
own() {
  node_line "$2" "$1"
  printf '%s\n' "$2" | awk -v node="$1" '
    /<node_history>/ { on = 1 }
    on && index($0, "<node name=\"" node "\"") { mine = 1 }
    mine { print }
    /<\/node>/ { mine = 0 }'
}
kept_off() {
  case $(own "$1" "$2") in *' call="-1"'*) return 1 ;; esac
  [ $((_t - _moved)) -ge 30 ] || return 1
  why="$why, and is kept from it by something else"
}
_lost_at=
without_quorum() {
  case $1 in *' no-quorum-policy="ignore"'*) return 1 ;; esac
  case $1 in *'<current_dc '*' with_quorum="false"'*) _lost_at=${_lost_at:-$(seconds)} ;; *) _lost_at=; return 1 ;; esac
  [ $(($(seconds) - _lost_at)) -ge 30 ] || return 1
  _t=$(seconds)
  why="the cluster has had no quorum for 30 s, so nothing moves: bring its other nodes back"
}
