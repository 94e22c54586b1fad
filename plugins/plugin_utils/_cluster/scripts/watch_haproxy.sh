# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# $1 admin socket, $2 seconds, $3 idle or up, $4... BACKEND/SLOT. Ends when none of them has a session (idle) or all are up (up);
# prints those that remain: BACKEND/SLOT SESSIONS STATUS CHECK, and for idle who has their sessions: "client" BACKEND/SLOT ADDRESS.

socket=$1 kind=$3
end=$(( $(cut -d. -f1 /proc/uptime) + $2 )); shift 3
while :; do
  rest=$(printf 'show stat\n' | socat -t 5 - "UNIX-CONNECT:$socket" | awk -F, -v kind="$kind" -v all="$*" '
    NR == 1 { sub(/^# /, ""); for (i = 1; i <= NF; i++) at[$i] = i; n = split(all, a, " "); for (i = 1; i <= n; i++) ours[a[i]] = 1; next }
    ($at["pxname"] "/" $at["svname"]) in ours {
      busy = $at["scur"] + 0; state = $at["status"]
      if (kind == "idle" ? busy > 0 : state !~ /^UP/) print $at["pxname"] "/" $at["svname"], busy, state, $at["check_status"]
      delete ours[$at["pxname"] "/" $at["svname"]] }
    END { for (one in ours) print one, 0, "MISSING", "-" }' | tr ' ' '\t')
  [ -n "$rest" ] || exit 0
  [ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ] || break
  sleep 0.2
done
printf '%s\n' "$rest"
[ "$kind" = idle ] || exit 0
printf 'show sess\n' | socat -t 5 - "UNIX-CONNECT:$socket" | sed -n 's/.* src=\([^ ]*\):[0-9]* .* be=\([^ ]*\) srv=\([^ ]*\) .*/client\t\2\/\3\t\1/p' | sort -u
exit 0
