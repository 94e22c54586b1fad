# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# $1 node, $2 on (somebody's wish), leave (a leave's own) or off, $3 seconds without progress, $4 seconds at most, $5 the id of the entry
# that a leave makes. Waits until nothing runs there any more and what did has started elsewhere or cannot (on, leave), or until what is
# to run there does (off). A leave is known by its entry's id, so the mark comes and goes with the standby, whoever ends it by whichever
# tool. Code 3: it was not so in time; 7: the node is active or empty, but not all that is to run there, or ran there, does.

# shellcheck source=waits.sh
. ./waits.sh
node=$1
standby() { crm_attribute --node "$node" --lifetime forever --name standby "$@" || exit 5; }
running() {
  printf '%s\n' "$1" | awk -v node="$node" '
    /<resource / { match($0, / id="[^"]*"/); id = substr($0, RSTART + 5, RLENGTH - 6); sub(/:[0-9]+$/, "", id) }
    /<node name=/ && id != "" && index($0, "<node name=\"" node "\"") { print id }
    /<\/resource>|<resource .*\/>/ { id = "" }' | sort -u | paste -s -d' '
}
begin "$3" "$4"
ours=
[ "$2" = off ] || ours=$(running "$(history)")
case $2 in
leave) standby --update on --id "$5" ;;
off) standby --delete ;;
on)
  # An entry keeps its id while it is updated, so that of a leave goes first.
  ! cibadmin --query --xpath "//nvpair[@id='$5']" >/dev/null 2>&1 || standby --delete
  standby --update on ;;
esac
why="Pacemaker did not answer"
code=3
while :; do
  mon=$(history) || mon=
  line=$(node_line "$mon" "$1")
  case $2,$line in
  on,*' standby="true"'*' resources_running="0"'* | leave,*' standby="true"'*' resources_running="0"'*)
    code=3
    ! rest_of "" "$ours" "$mon" "$(dc_of "$mon")" || exit 0
    case $left$line_end in
    *" on $1$line_end"*) why="it is not empty yet: $why" ;;
    ?*" on "*) [ "$2" = leave ] || code=7 ;;
    esac ;;
  off,*' standby="false"'*)
    code=7
    ! rest_of "$1" "" "$mon" "$(dc_of "$mon")" || exit 0 ;;
  off,*) [ -z "$mon" ] || why="it is still in standby" ;;
  *)
    code=3
    [ -z "$mon" ] || why="it is not empty yet ($(running "$mon") still there)" ;;
  esac
  [ $code = 3 ] && picture=$mon || picture=$(own "$1" "$mon")
  ! without_quorum "$mon" || { echo "$(spent) $why" >&2; exit 3; }
  if over "$picture" || { [ $code = 7 ] && kept_off "$1" "$mon"; }; then echo "$(spent) $why" >&2; exit $code; fi
  breathe
done
