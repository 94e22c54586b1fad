# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The leaver stops, and forgets what would let it come back.

set -eu
systemctl stop pacemaker
systemctl stop corosync
rm -f /etc/corosync/corosync.conf /etc/corosync/corosync.conf.before /etc/corosync/authkey
rm -rf /var/lib/pacemaker/cib/* /var/lib/corosync/ringid_*
