# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What a connection brings back is written to Ansible's log with -vvv, what goes out is not. So the key comes back under a one-time
# pad: stdin has a random number a line, the output is each byte of the key combined with its number.

set -eu
exec 3<&0
od -An -v -tu1 -w1 /etc/corosync/authkey | while read -r byte; do
  read -r mask <&3 || { echo "the key is longer than its pad" >&2; exit 1; }
  echo $((byte ^ mask))
done
