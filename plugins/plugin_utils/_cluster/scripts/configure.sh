# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# stdin: the text of corosync.conf. Corosync is asked whether it takes it, the old file is kept beside it, then the text takes its place.
# $1 "write", or "reload": have every member read its file again (one such call serves all members). Corosync puts that off while it makes
# a new membership, so it is asked again, 50 times at most: 5 seconds, on slow nodes 15. $2 "back": an old text that goes back to its place,
# not tried. Code 65: Corosync refuses the text, nothing was touched; 66: it refuses the reload, and goes on with what it had read before.

# shellcheck source=breathe.sh
. ./breathe.sh
# shellcheck source=try_conf.sh
. ./try_conf.sh
set -eu
cat >/etc/corosync/.corosync.conf.new
chmod 0644 /etc/corosync/.corosync.conf.new
[ "${2:-}" = back ] || try_conf /etc/corosync/.corosync.conf.new
cmp -s /etc/corosync/.corosync.conf.new /etc/corosync/corosync.conf || [ ! -e /etc/corosync/corosync.conf ] ||
  cp -p /etc/corosync/corosync.conf /etc/corosync/corosync.conf.before
put .corosync.conf.new corosync.conf
[ "$1" = reload ] || exit 0
n=0
until said=$(corosync-cfgtool -R 2>&1); do
  n=$((n + 1))
  case $said in *TRY_AGAIN*) [ $n -lt 50 ] && breathe && continue ;; esac
  printf '%s\n' "$said" >&2
  exit 66
done
# A reload is reported as done where only its order was taken; what became of it stands in cmap, in releases that tell it.
status=$(corosync-cmapctl -g config.reload_status 2>/dev/null) || exit 0
case $status in '' | *' = 1') ;; *) printf 'Corosync did not take it over: %s\n' "$status" >&2; exit 66 ;; esac
