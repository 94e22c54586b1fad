# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# $1 configuration, $2 admin socket, $3 what (check, file, runtime, reload), $4 the frame that the new process must tell,
# $5... the command that reloads; stdin: the configuration, a marker line, commands for the socket (one line each).
# The file comes first: whatever happens after, a restart or a failover begins with what is wanted.

umask 077
config=$1 socket=$2 what=$3 frame=$4; shift 4
new=$(mktemp "$(dirname "$config")/.ondemand.XXXXXX") && commands=$(mktemp) || exit 70
trap 'rm -f "$new" "$commands" "$commands.said"' EXIT
trap 'exit 71' HUP INT TERM PIPE
awk -v new="$new" -v commands="$commands" '$0 == "=====commands=====" { second = 1; next } { print > (second ? commands : new) }'
if ! cmp -s "$new" "$config"; then
  haproxy -c -f "$new" >"$commands.said" 2>&1 || { cat "$commands.said"; exit 65; }
  if [ "$what" != check ]; then chmod 0640 "$new" && mv -f "$new" "$config" || exit 72; fi
fi
ask() { printf '%s\n' "$1" | socat -t 5 - "UNIX-CONNECT:$socket"; }
pid() { ask "show info" 2>/dev/null | sed -n 's/^Pid: //p'; }
case $what in
runtime)
  while IFS= read -r line; do [ -z "$line" ] || ask "$line" >&2 || exit 73; done <"$commands"
  ask "show servers state" ;;
reload)
  old=$(pid)
  "$@" >&2 || exit 74
  n=0
  until ask "show info" 2>/dev/null | grep -q "$frame" && [ "$(pid)" != "$old" ]; do
    n=$((n + 1)); [ "$n" -lt 150 ] || exit 76
    sleep 0.1
  done ;;
esac
exit 0
