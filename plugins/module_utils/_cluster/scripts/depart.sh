# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# BSD-2-Clause license (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# The leaver stops, and forgets what would let it come back.

set -eu
systemctl stop pacemaker
systemctl stop corosync
rm -f /etc/corosync/corosync.conf /etc/corosync/corosync.conf.before /etc/corosync/authkey
rm -rf /var/lib/pacemaker/cib/* /var/lib/corosync/ringid_*
