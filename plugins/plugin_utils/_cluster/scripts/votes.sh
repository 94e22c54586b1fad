# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# While Corosync makes a new membership it puts off whoever asks (CS_ERR_TRY_AGAIN). No votes would be read as none present.

votes() {
  n=0
  # shellcheck disable=SC2154  # corosync: of whoever uses this
  while said=$(corosync-quorumtool -s 2>&1); rc=$?; [ "$corosync" = active ]; do
    case $said in *'Total votes'*) break ;; esac
    n=$((n + 1)); [ $n -lt 25 ] || break
    breathe
  done
  printf '%s
' "$said"
  return $rc
}
