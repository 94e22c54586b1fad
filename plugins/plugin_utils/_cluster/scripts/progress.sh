# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What a script that waits on a member waits for, and how long.
#
# Nobody waits until the whole cluster is at rest: a resource that fails again and again, or somebody else's move, would keep everybody
# waiting. Asked is what Pacemaker has still to do on one node or with some resources. One reading of the CIB tells both parts of that: what
# is under way (its entry is pending), and by `crm_simulate` what comes after it. That one alone would not do: while the stop of a restart is
# under way it names no start.
#
# ask COMMAND...: runs a question that only reads, and prints what it says. One that did not end in time is asked once more with more
#   time; if that is not enough either the code is 124: no answer, which is never a "no".
# seconds: of a clock that nobody sets.
# ahead: what Pacemaker has still to do, a line "NODE RESOURCE" for each operation. Repeated monitors are left out: they go on for ever.
# under_way: of a CIB on stdin, the same of what is under way on nodes that are there (a lost one's last word stays in the CIB).
# failed MON: of crm_mon's XML, "NODE RESOURCE" for each operation that failed.
# ahead_of NODE RESOURCES MON: of what is ahead, that on the node and that with the resources (a list with spaces). What failed where
#   it is to be done is known already, and left out. Code 1: no answer.
# idle DC: whether the DC's controller says that it has nothing to do at all; where it does not answer, no.
# stuck AHEAD DC: the same has been ahead for ten seconds and the DC is idle all the same: it will not act on it before something else
#   happens (a rule that depends on the time does that), so nobody waits for it.
# begin QUIET_S MOST_S, then over PICTURE in each turn: whether the wait has to end, because nothing of the picture changed for so long
#   or because the whole has taken too long. What differs between any two looks must not be in the picture. spent: how long, in words.

# shellcheck source=breathe.sh
. ./breathe.sh
ask() {
  for _limit in 10 30; do
    _said=$(timeout "$_limit" "$@" 2>&1); _rc=$?
    [ "$_rc" -eq 124 ] || break
  done
  printf '%s\n' "$_said"
  return "$_rc"
}
seconds() { cut -d. -f1 /proc/uptime; }
ahead() {
  # A warning beside the document would make it none.
  _cib=$(ask sh -c 'exec cibadmin --query 2>/dev/null') || return 1
  # It only reckons, so that it is late means no more than a slow node, and it isn't asked twice.
  _plan=$(printf '%s\n' "$_cib" | timeout 40 crm_simulate --xml-pipe --simulate 2>&1) || return 1
  { printf '%s\n' "$_cib" | under_way; printf '%s\n' "$_plan" | awk '
    /^Executing Cluster Transition/ { on = 1 }
    /^Revised Cluster Status/ { on = 0 }
    on && /Resource action:/ {
      sub(/.*Resource action: */, "")
      if ($2 !~ /=/ && $3 == "on") { sub(/:[0-9]+$/, "", $1); print $4, $1 }
    }'; } | sort -u
}
under_way() {
  awk '
    function value(name) { return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : "" }
    /<node_state / {
      there = value("remote_node") == "true" ? value("in_ccm") : value("crmd")
      node = there ~ /^(offline|false|0)?$/ ? "" : value("uname")
    }
    /<lrm_resource / { id = value("id"); sub(/:[0-9]+$/, "", id) }
    /<lrm_rsc_op / && node != "" && value("op-status") == "-1" && (value("operation") != "monitor" || value("interval") == 0) { print node, id }'
}
failed() {
  printf '%s\n' "$1" | awk '
    function value(name) { return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : "" }
    /<failure / { key = value("op_key"); sub(/_(migrate_to|migrate_from|[a-z-]+)_[0-9]+$/, "", key); sub(/:[0-9]+$/, "", key)
      print value("node"), key }'
}
ahead_of() {
  _ahead=$(ahead) || return 1
  _failed=$(failed "$3")
  printf '%s\n' "$_ahead" | while read -r _node _resource; do
    [ -n "$_resource" ] || continue
    case $line_end$_failed$line_end in *"$line_end$_node $_resource$line_end"*) continue ;; esac
    [ "$_node" = "$1" ] || case " $2 " in *" $_resource "*) ;; *) continue ;; esac
    printf '%s on %s\n' "$_resource" "$_node"
  done
}
idle() { [ -n "$1" ] && timeout 10 crmadmin -S "$1" 2>&1 | grep -q S_IDLE; }
_stuck=none
stuck() {
  [ "$1" = "$_stuck" ] || { _stuck=$1; _stuck_at=$(seconds); }
  [ $(($(seconds) - _stuck_at)) -ge 10 ] && idle "$2"
}
begin() { _quiet_s=$1; _most_s=$2; _begun=$(seconds); _moved=$_begun; _picture=; }
over() {
  _t=$(seconds)
  [ "$1" = "$_picture" ] || { _picture=$1; _moved=$_t; }
  [ $((_t - _moved)) -ge "$_quiet_s" ] || [ $((_t - _begun)) -ge "$_most_s" ]
}
spent() { echo "after $((_t - _begun)) s, $((_t - _moved)) of them without any progress,"; }
line_end='
'
