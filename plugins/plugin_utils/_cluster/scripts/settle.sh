# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# $1: seconds without progress, $2: seconds at most, $3: the resources. Ends when Pacemaker has nothing left to do with them, then prints
# the last look. What it does with others is not waited for. Code 76: the time is over, and stderr says what was still ahead, or the cluster has
# had no quorum for $4 seconds: it starts nothing then, and nobody knows for how long.

# shellcheck source=look.sh
. ./look.sh
trap 'rm -rf "$d"' EXIT
trap 'exit 71' HUP INT TERM PIPE
resources=$3
code=0
begin "$1" "$2"
_lost=
until rested; do
  look
  if grep -q '<current_dc [^>]*with_quorum="false"' "$d/seen" && ! grep -q ' no-quorum-policy="ignore"' "$d/seen"; then _lost=${_lost:-$(seconds)}; else _lost=; fi
  if [ -n "$_lost" ] && [ $(($(seconds) - _lost)) -ge "$4" ]; then
    code=76
    printf 'the cluster has had no quorum for %s s, so it starts nothing: bring its other nodes back\n' "$4" >&2
    break
  fi
  if over "$(sed '/<last_update /d' "$d/seen")"; then
    code=76
    printf '%s Pacemaker still acts with %s\n' "$(spent)" "$(printf '%s\n' "${_left:-what it does not tell}" | paste -s -d, | sed 's/,/, /g')" >&2
    break
  fi
  breathe
done
[ ! -e "$d/seen" ] || cat "$d/seen"
exit "$code"
