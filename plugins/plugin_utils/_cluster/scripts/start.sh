# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Start here, then wait until this node is a full member (in a part with quorum, its controller joined and not pending) and nothing that
# is to run on it is still to be probed or started. $1 node, $2 seconds without progress, $3 seconds at most, then nodes to be forgotten.
# Code 3: no member in time; 4: a daemon did not start; 7: a member, but not all that is to run there does.

# shellcheck source=waits.sh
. ./waits.sh
# shellcheck source=forget_one.sh
. ./forget_one.sh
begin "$2" "$3"
systemctl start corosync pacemaker || { echo "corosync or pacemaker did not start; see their logs, and that of ondemand-gate, on $1" >&2; exit 4; }
for unit in corosync pacemaker; do systemctl is-enabled --quiet $unit || systemctl enable --quiet $unit || :; done
why="Pacemaker did not answer"
code=3
while :; do
  mon=$(history) || mon=
  line=$(node_line "$mon" "$1")
  dc=$(dc_of "$mon")
  votes=$(corosync-quorumtool -s 2>&1 | sed -n -e '/^Quorate:/p' -e '/^Total votes:/p' -e '/^Expected votes:/p' -e '/^Ring ID:/p')
  case $line in
  *' online="true"'*' pending="false"'*)
    case $votes in
    *Quorate:*Yes*) code=7; ! rest_of "$1" "" "$mon" "$dc" || { code=0; break; } ;;
    *) code=3; why="the node has no quorum with the others ($(printf '%s\n' "$votes" | tr -s ' ' | paste -s -d, | sed 's/,/, /g'))" ;;
    esac ;;
  '') [ -z "$mon" ] || why="the node is not in the cluster's list (DC ${dc:-none})" ;;
  *) code=3; why="the node is not online yet (DC ${dc:-none})" ;;
  esac
  [ $code = 3 ] && picture=$mon$votes || picture=$votes$(own "$1" "$mon")
  if over "$picture" || { [ $code = 7 ] && kept_off "$1" "$mon"; }; then echo "$(spent) $why" >&2; break; fi
  breathe
done
# Whom an old member could not forget by itself (see FORGET) it forgets when another one asks.
shift 3
[ $code = 3 ] || for name in "$@"; do forget "$name"; forget "$name"; done
exit $code
