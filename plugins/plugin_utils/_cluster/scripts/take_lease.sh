# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# $1 token, $2 for so many seconds (0: give it back), $3 holder, $4 purpose, $5 a value that may be replaced though it has not ended (its run is
# over). Looks first: a request that fails would stand as an error in Pacemaker's log. Only what is free, ours or $5 is replaced, and only what is
# still ours is given back. Prints the clock, and the lease as it is afterwards. Code 72: Pacemaker does not answer here.

# shellcheck source=lease_in_cib.sh
. ./lease_in_cib.sh
now=$(date +%s)
# shellcheck disable=SC2119  # value asks the whole cluster here
told() { is=$(value); case $? in 0 | 105) ;; *) echo "Pacemaker does not answer" >&2; exit 72 ;; esac; }
told
IFS=' ' read -r last until since holder purpose <<X
$is
X
case $until in *[!0-9]*) until= ;; esac
if [ "$2" -gt 0 ]; then
  if [ "$last" != "$1" ] || [ "${until:-0}" -le "$now" ]; then since=$now; fi
  if [ "$last" = "$1" ] || [ "${until:-0}" -le "$now" ] || [ "$is" = "$5" ]; then
    cas "$1" $((now + $2)) "$since" "$3" "$4" "$is"
    told
  fi
elif [ "$last" = "$1" ] && [ "${until:-0}" -gt 0 ]; then
  cas "$1" 0 "$now" "$holder" "$purpose" "$is"
  told
fi
printf '%s %s\n' "$now" "$is"
