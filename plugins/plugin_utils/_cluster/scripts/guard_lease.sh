# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Goes before every script that changes a node: $1 the token ("-": none), $2 for how many seconds the change may go on, $3 the name of this call
# where it may not run twice ("-": it may); the rest is the script's. Code 69: refused, with the lease on stderr; 67: a lost connection was made
# anew and the script sent again, and it had begun before. Where Pacemaker does not run there is nothing to ask: such a node is in no cluster yet,
# or in none any more, and its VM was made by whoever holds the lease.
#
# A change whose run was killed may still be going on here. Nobody waits for it any more, and what it still does would mix with what comes
# now, so it is ended: every change notes its process (with its start, since a process id comes again) and its token.

# shellcheck source=lease_in_cib.sh
. ./lease_in_cib.sh
lease_token=$1 lease_s=$2 lease_call=$3
shift 3
lease_refuse() { printf 'ondemand-lease %s %s %s\n' "$1" "$(date +%s)" "$2" >&2; exit 69; }
# shellcheck disable=SC2086  # its words are what is wanted
lease_process() { read -r _stat <"/proc/$1/stat" && _stat=${_stat##*') '} && set -- $_stat && printf '%s %s' "$3" "${20}"; }
lease_tries=0
while lease_now=$(date +%s); lease=$(value --local); lease_rc=$?; [ $lease_rc = 0 ]; do
  IFS=' ' read -r lease_last lease_until lease_since lease_holder lease_purpose <<X
$lease
X
  if [ "$lease_token" = - ]; then
    [ "$lease_until" -le "$lease_now" ] || lease_refuse held "$lease"
    break
  fi
  [ "$lease_last" = "$lease_token" ] || lease_refuse lost "$lease"
  [ $((lease_until - lease_now)) -lt "$lease_s" ] || break
  # Some more than is needed, so that not each of several changes prolongs it anew.
  ! cas "$lease_last" $((lease_now + lease_s + 60)) "$lease_since" "$lease_holder" "$lease_purpose" "$lease" || break
  lease_tries=$((lease_tries + 1))
  [ $lease_tries -lt 10 ] || lease_refuse lost "$lease"
done
[ $lease_rc != 105 ] || [ "$lease_token" = - ] || lease_refuse lost ""
if [ "$lease_token" != - ]; then
  lease_note=/run/ondemand-change
  if IFS=' ' read -r lease_group lease_start lease_last 2>/dev/null <$lease_note && [ "$lease_last" != "$lease_token" ]; then
    lease_tries=0
    while [ "$(lease_process "$lease_group" 2>/dev/null)" = "$lease_group $lease_start" ] && [ $lease_tries -lt 100 ]; do
      [ $lease_tries -lt 50 ] && lease_signal=TERM || lease_signal=KILL
      kill -s "$lease_signal" -- "-$lease_group" 2>/dev/null
      lease_tries=$((lease_tries + 1))
      sleep 0.1
    done
  fi
  lease_group=$(lease_process $$); lease_group=${lease_group%% *}
  printf '%s %s\n' "$(lease_process "$lease_group")" "$lease_token" >$lease_note
fi
if [ "$lease_call" != - ]; then
  IFS= read -r lease_last 2>/dev/null </run/ondemand-begun || lease_last=
  [ "$lease_last" != "$lease_call" ] || { echo "the connection broke after it had begun; it is not begun a second time" >&2; exit 67; }
  printf '%s\n' "$lease_call" >/run/ondemand-begun
fi
