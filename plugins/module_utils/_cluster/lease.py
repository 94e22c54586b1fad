# Copyright: (c) 2026, the ondemand.cluster contributors
# BSD-2-Clause license (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One at a time: the lease of a cluster, which whoever changes it holds. Its place in the CIB, the fixed scripts, their reading. Pure.

The lease is one value in the CIB: token, end, begin, holder and purpose. It is made once and never removed; each taking, renewal and
giving back replaces the value as it was read (compare and swap: Pacemaker applies such requests one after another, on all members alike).
A given back lease keeps its last token. So a run that was paused for so long that somebody else acted meanwhile is told so, and
one that was not may go on. Times are seconds since the epoch by the clock of the member that was asked. Clocks that differ make somebody
wait longer, or act on a lease that another one takes over: whose token is no longer the last one is refused at its next change.
"""

from __future__ import annotations

import dataclasses
import typing as t
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from .._contract.refusal import Refusal

ID = "ondemand-lease"
_READABLE = "@:.-_/"

# value: the lease as this node's CIB has it; ENXIO (105): there is none yet. cas TOKEN UNTIL SINCE HOLDER PURPOSE OLD: takes it if it is still OLD.
_CIB = """
lease_xpath="//nvpair[@id='ondemand-lease']"
value() {
  _said=$(cibadmin --query "$@" --xpath "$lease_xpath" </dev/null 2>/dev/null); _rc=$?
  _said=${_said#*' value="'}
  printf '%s' "${_said%%'"'*}"
  return $_rc
}
cas() {
  _pair="<nvpair id=\\"ondemand-lease\\" name=\\"ondemand-lease\\" value=\\"$1 $2 $3 $4 $5\\"/>"
  if [ -n "$6" ]; then
    cibadmin --replace --xpath "$lease_xpath[@value='$6']" --xml-text "$_pair"
  else
    cibadmin --create --scope crm_config --xml-text "<cluster_property_set id=\\"ondemand-lease-set\\">$_pair</cluster_property_set>"
  fi </dev/null >/dev/null 2>&1
}
"""
NONE_YET = 105

# $1 token, $2 for so many seconds (0: give it back), $3 holder, $4 purpose, $5 a value that may be replaced though it has not ended (its run is
# over). Looks first: a request that fails would stand as an error in Pacemaker's log. Only what is free, ours or $5 is replaced, and only what is
# still ours is given back. Prints the clock, and the lease as it is afterwards. Code 72: Pacemaker does not answer here.
TAKE = (
    _CIB
    + """
now=$(date +%s)
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
printf '%s %s\\n' "$now" "$is"
"""
)

# Goes before every script that changes a node: $1 the token ("-": none), $2 for how many seconds the change may go on; the rest is the
# script's. Code 69: refused, with the lease on stderr. Where Pacemaker does not run there is nothing to ask: such a node is in no cluster yet,
# or in none any more, and its VM was made by whoever holds the lease.
#
# A change whose run was killed may still be going on here. Nobody waits for it any more, and what it still does would mix with what comes
# now, so it is ended: every change notes its process (with its start, since a process id comes again) and its token.
GUARD = (
    _CIB
    + r"""
lease_token=$1 lease_s=$2
shift 2
lease_refuse() { printf 'ondemand-lease %s %s %s\n' "$1" "$(date +%s)" "$2" >&2; exit 69; }
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
      kill -s $lease_signal -- "-$lease_group" 2>/dev/null
      lease_tries=$((lease_tries + 1))
      sleep 0.1
    done
  fi
  lease_group=$(lease_process $$); lease_group=${lease_group%% *}
  printf '%s %s\n' "$(lease_process "$lease_group")" "$lease_token" >$lease_note
fi
"""
)
# After GUARD: nothing is to be changed on this node, but the lease has to be ours. Code 72: Pacemaker does not answer here.
KEEP = GUARD + 'case $lease_rc in 0 | 105) exit 0 ;; esac; echo "Pacemaker does not answer" >&2; exit 72\n'
REFUSED = 69
_MARK = "ondemand-lease "


@dataclasses.dataclass(frozen=True)
class Lease:
    """The lease as a CIB has it: the last token, until when it is held (0: given back) and since when, by whom and for what."""

    token: str
    until: int
    since: int
    holder: str
    purpose: str

    def held(self, now: float) -> bool:
        """Is it held at this time of the member's clock?"""
        return self.until > now

    def result(self, now: float) -> dict[str, t.Any]:
        """The lease as cluster_info and cluster_lease tell it."""
        return {**dataclasses.asdict(self), "held": self.held(now)}


def parse_lease(value: str) -> Lease | None:
    """The lease of a value in the CIB; None where there is none, or where somebody wrote something else there."""
    words = value.split(" ")
    if len(words) != 5 or not (words[1].isdigit() and words[2].isdigit()):
        return None
    return Lease(words[0], int(words[1]), int(words[2]), unquote(words[3]), unquote(words[4]))


def in_cib(cib: ElementTree.Element | None) -> Lease | None:
    """The lease that a whole CIB holds."""
    pair = None if cib is None else cib.find("configuration/crm_config/cluster_property_set/nvpair[@id='%s']" % ID)
    return None if pair is None else parse_lease(pair.get("value", ""))


def parse_taken(stdout: str) -> tuple[int, str]:
    """What TAKE printed: the clock and the value. Raises ValueError where it printed something else."""
    words = (stdout.strip().splitlines() or [""])[-1].split(" ", 1)
    return int(words[0]), words[1].strip() if len(words) > 1 else ""


def quoted(text: str) -> str:
    """A holder or a purpose as one word that XML, XPath and the shell take as it is."""
    return quote(text, safe=_READABLE) or "-"


def why_refused(stderr: str) -> Refusal | None:
    """The refusal that GUARD told; None where something else failed."""
    line = next((one for one in stderr.splitlines() if one.startswith(_MARK)), None)
    if line is None:
        return None
    _mark, what, clock, *value = line.split(" ", 3)
    lease = parse_lease(value[0] if value else "")
    if what == "held" and lease:
        return held_by(lease, float(clock))
    if lease:
        sentence = "The lease of this run was taken over by %s for %s %s ago. Run it again: it looks at the cluster anew."
        return Refusal("held", sentence % (lease.holder, lease.purpose, _ago(float(clock) - lease.since)))
    return Refusal("held", "The cluster knows nothing of the lease of this run. Run it again: it looks at the cluster anew.")


def held_by(lease: Lease, now: float, waited_s: float = 0) -> Refusal:
    """The refusal for whoever comes second."""
    waited = " (waited %d s for it)" % waited_s if waited_s >= 1 else ""
    sentence = "The cluster is being changed by %s: %s, begun %s ago%s. Run it again when that has ended; should it have died, in %d s at the latest."
    return Refusal("held", sentence % (lease.holder, lease.purpose, _ago(now - lease.since), waited, max(1, lease.until - now)))


def _ago(seconds: float) -> str:
    return "%d s" % seconds if seconds < 120 else "%d min" % (seconds / 60)
