# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Sections as membership_scripts.sections reads them. $1 configuration, $2 admin socket. Both answers of the socket come as one text, which
# parse_info, parse_state and parse_up read alike: a question of its own each would cost another start of socat on an emulated node.
# What a connection brings back is written to Ansible's log with -vvv, so the password stays there; the digest is that of the whole file.

section() { printf '\n==ondemand-section== %s\n' "$1"; shift; "$@" 2>&1; printf '\n==ondemand-rc== %s\n' "$?"; }
socket=$2
# shellcheck disable=SC2317  # section calls it
ask() { printf '%s\n' "$1" | timeout 20 socat -t 5 - "UNIX-CONNECT:$socket"; }
if [ -f "$1" ]; then
  section config sed 's/^\( *stats auth [^:]*:\).*/\1(hidden)/' "$1"
  section digest sha256sum "$1"
fi
[ -S "$socket" ] || exit 0
section running ask "show info; show servers state"
exit 0
