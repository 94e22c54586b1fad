# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# $1 service, $2 from, $3 to, $4 seconds for each wait, $5 its resources, $6 constraints to remove first, $7 the wish's id; stdin: the wish, a constraint.
# Names hold no space (they were checked), so $5 and $6 are split on purpose. Reports lines "WORD VALUE".

# shellcheck source=look.sh
. ./look.sh
from=$2 to=$3 wait_s=$4 resources=$5 stale=$6 ours=$7
remove() { cibadmin --delete --scope constraints --xml-text "<rsc_location id=\"$1\"/>" >/dev/null 2>&1; }
left() { cibadmin --query --xpath "//rsc_location[@id='$ours']" >/dev/null 2>&1; }
give_up_wish() {
  for _n in 1 2 3 4 5 6 7 8 9 10; do remove "$ours" && ! left && return 0; sleep 0.5; done
  echo "constraint left"
}
trap 'give_up_wish; rm -rf "$d"' EXIT
trap 'exit 71' HUP INT TERM PIPE
now() { date +%s.%N; }
count_on() { up | awk -v node="$1" -v all="$resources" 'BEGIN { split(all, a, " "); for (i in a) ours[a[i]] = 1 }
  ($1 in ours) && $2 == node { n++ } END { print n + 0 }'; }
failure() { awk -v node="$to" -v all="$resources" 'BEGIN { n = split(all, a, " ") }
  /<failure / && index($0, " node=\"" node "\"") { for (i = 1; i <= n; i++)
    if (match($0, " op_key=\"" a[i] "_(migrate_to|migrate_from|[a-z-]+)_[0-9]+\"")) { print; exit } }' "$d/seen"; }
until_idle() {
  _since=
  until rested || [ "$(tick)" -ge "$1" ]; do breathe; done
}
wanted=0; for r in $resources; do wanted=$((wanted + 1)); done
for one in $stale; do remove "$one"; done
look || { echo "outcome unreadable"; exit 0; }
if [ -n "$(failure)" ]; then
  for r in $resources; do crm_resource --cleanup --resource "$r" --node "$to" >/dev/null 2>&1; done
  until_idle $(( $(tick) + wait_s )); look
fi
end=$(( $(tick) + wait_s ))
cat >"$d/wish"
cibadmin --modify --allow-create --scope constraints --xml-file "$d/wish" >/dev/null || { echo "outcome refused"; exit 0; }
outcome=deadline stopped=
while [ "$(tick)" -lt "$end" ]; do
  if look; then
    if [ -z "$stopped" ] && [ "$(count_on "$from")" -eq 0 ]; then stopped=$(now); echo "stopped_at $stopped"; fi
    if [ "$(count_on "$to")" -eq "$wanted" ]; then echo "started_at $(now)"; outcome=moved; break; fi
    failed=$(failure)
    if [ -n "$failed" ]; then echo "failure $failed"; outcome=start_failed; break; fi
  fi
  breathe
done
give_up_wish
end=$(( $(tick) + wait_s ))
if [ "$outcome" = moved ]; then
  # Without the wish only stickiness holds it: look until the DC has thought about it.
  until_idle "$end"
  [ "$(count_on "$to")" -eq "$wanted" ] || outcome=drifted
else
  # First back (where it runs, stickiness keeps it), then forget the failure: the other way round it would try again.
  while [ "$(tick)" -lt "$end" ]; do
    look && [ "$(count_on "$from")" -eq "$wanted" ] && { echo "back_at $(now)"; break; }
    breathe
  done
  for r in $resources; do crm_resource --cleanup --resource "$r" --node "$to" >/dev/null 2>&1; done
  until_idle "$end"
fi
echo "on $(up | awk -v all="$resources" 'BEGIN { split(all, a, " "); for (i in a) ours[a[i]] = 1 } ($1 in ours) { printf "%s ", $2 }')"
echo "outcome $outcome"
echo "clock $(now)"
