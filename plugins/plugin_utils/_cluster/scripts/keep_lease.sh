# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# After GUARD: nothing is to be changed on this node, but the lease has to be ours. Code 72: Pacemaker does not answer here.

# shellcheck source=guard_lease.sh
. ./guard_lease.sh
case $lease_rc in 0 | 105) exit 0 ;; esac; echo "Pacemaker does not answer" >&2; exit 72
