# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The CIB and, if the cluster is at rest, what it shows: the usual case, nothing to change and nothing to wait for, is one trip.

# shellcheck source=look.sh
. ./look.sh
trap 'rm -rf "$d"' EXIT
trap 'exit 71' HUP INT TERM PIPE
cibadmin --query || exit
printf '\n%s\n' '=====seen====='
if look && is_idle; then cat "$d/seen"; fi
exit 0
