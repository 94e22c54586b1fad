# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# $1 node that Pacemaker is to forget, $2 seconds without progress, $3 seconds at most. Besides the CIB every member's controller has a memory of its own, and
# writes whom it remembers back into the CIB at the next change of membership. `crm_node -R` asks it to forget too, but ends
# without waiting and the controller drops the request of a client that is gone (seen with 2.1.5): so the tool is slowed
# down (it has much to say), asked again while the memory lasts, and runs on every member. About two of five requests arrive. A memory
# that outlives TRIES of them, or the time, is left to the next join (START), the CIB is not.

# shellcheck source=sections.sh
. ./sections.sh
# shellcheck source=forget_one.sh
. ./forget_one.sh
begin "$2" "$3"
TRIES=15
tries=0
clean=0
while :; do
  peers=$(ask crm_node -l) || peers=unknown
  cib=$(ask cibadmin -Q) || cib=
  state=$(printf '%s\n' "$peers" | awk -v name="$1" '$2 == name {print $3}')
  case $cib in
  '') listed=unknown ;;
  *"uname=\"$1\""*) listed=yes ;;
  *) listed=no ;;
  esac
  if [ "$listed" = unknown ] || [ "$peers" = unknown ] || [ "$state" = member ]; then clean=0
  elif [ "$listed" = no ] && { [ -z "$state" ] || [ $tries -ge $TRIES ]; }; then clean=$((clean + 1))
  else
    clean=0
    tries=$((tries + 1))
    forget "$1"
  fi
  [ $clean -lt 2 ] || exit 0
  if over "$peers$cib"; then [ "$listed" != no ] || exit 0; echo "$(spent) Pacemaker still knows the node (listed: $listed, state: ${state:-none})" >&2; exit 3; fi
  breathe
done
