# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# BSD-2-Clause license (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# The CIB and, if the cluster is at rest, what it shows: the usual case, nothing to change and nothing to wait for, is one trip.

# shellcheck source=look.sh
. ./look.sh
trap 'rm -rf "$d"' EXIT
trap 'exit 71' HUP INT TERM PIPE
cibadmin --query || exit
printf '\n%s\n' '=====seen====='
if look && is_idle; then cat "$d/seen"; fi
exit 0
