# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The fixed scripts that run on nodes, and the reader of what they print. Values reach them as $1, $2, ..., secrets by stdin.

They are plain sh with the tools that Corosync and Pacemaker bring. A wait loops here, on the node, because a trip costs more than
many looks. `crmadmin` is only asked once a DC is known: without one its 2.1 releases spin until they are killed.
"""

from __future__ import annotations

import base64
from typing import Dict, Tuple

from .breath import BREATHE

_SECTION = "==ondemand-section=="
_RC = "==ondemand-rc=="

_HELPERS = (
    BREATHE
    + r"""
tell() { printf '\n==ondemand-section== %s\n%s\n==ondemand-rc== %s\n' "$1" "$3" "$2"; }
section() { name=$1; shift; said=$("$@" 2>&1); tell "$name" $? "$said"; }
monitor() { timeout 20 crm_mon -1 --output-as=xml 2>&1; }
dc_of() { printf '%s\n' "$1" | sed -n 's/.*<current_dc [^>]*name="\([^"]*\)".*/\1/p'; }
node_line() { printf '%s\n' "$1" | grep -F "<node name=\"$2\" " | grep -F 'online=' | head -n 1; }
idle() { [ -n "$1" ] && timeout 3 crmadmin -S "$1" 2>&1 | grep -q S_IDLE; }
now() { cut -d. -f1 /proc/uptime; }
line_end='
'
"""
)

_FORGET_ONE = """
forget() { timeout 20 crm_node -VVVVV --force -R "$1" >/dev/null 2>&1 || :; }
"""

# While Corosync makes a new membership it puts off whoever asks (CS_ERR_TRY_AGAIN). No votes would be read as none present.
_VOTES = """
votes() {
  n=0
  while said=$(corosync-quorumtool -s 2>&1); rc=$?; [ "$corosync" = active ]; do
    case $said in *'Total votes'*) break ;; esac
    n=$((n + 1)); [ $n -lt 25 ] || break
    breathe
  done
  printf '%s\n' "$said"
  return $rc
}
"""

# What a node knows: its files, its units, and where the cluster runs, the cluster's own word.
OBSERVE = (
    _HELPERS
    + _VOTES
    + r"""
section key sha256sum /etc/corosync/authkey
section seed grep -c 'id="ondemand-dc-deadtime"' /var/lib/pacemaker/cib/cib.xml
states=$(systemctl is-active corosync pacemaker)
for unit in corosync pacemaker; do
  state=${states%%"$line_end"*}
  states=${states#*"$line_end"}
  [ "$state" = active ] && tell $unit 0 active || tell $unit 3 "$state"
  [ $unit != corosync ] || corosync=$state
done
printf '\n==ondemand-section== conf\n'
cat /etc/corosync/corosync.conf 2>&1
printf '\n==ondemand-rc== %s\n' $?
[ "$1" = files ] && exit 0
section votes votes
section cib cibadmin -Q
section peers crm_node -l
mon=$(monitor)
tell monitor $? "$mon"
dc=$(dc_of "$mon")
[ -z "$dc" ] || section dc timeout 5 crmadmin -S "$dc"
exit 0
"""
)

# stdin: base64 of the key on the first line ("-": keep the one that is there), then the text of corosync.conf.
# $1 "fresh": forget what Pacemaker knew before (only asked for where nothing runs and the node is in no cluster).
# $2 seconds of dc-deadtime for a first start, empty for a node that joins.
INSTALL = r"""
set -eu
umask 077
IFS= read -r key
if [ "$1" = fresh ]; then
  systemctl stop pacemaker corosync
  rm -rf /var/lib/pacemaker/cib/* /var/lib/corosync/ringid_*
fi
if [ -n "$2" ]; then
  seed="<nvpair id=\"ondemand-dc-deadtime\" name=\"dc-deadtime\" value=\"${2}s\"/>"
  seed="<crm_config><cluster_property_set id=\"cib-bootstrap-options\">$seed</cluster_property_set></crm_config>"
  cibadmin --empty | sed "s|<crm_config/>|$seed|" >/var/lib/pacemaker/cib/cib.xml
  chown hacluster:haclient /var/lib/pacemaker/cib/cib.xml
fi
if [ "$key" != - ]; then
  printf '%s' "$key" | base64 -d >/etc/corosync/.authkey.new
  chmod 0400 /etc/corosync/.authkey.new
  mv -f /etc/corosync/.authkey.new /etc/corosync/authkey
fi
cat >/etc/corosync/.corosync.conf.new
chmod 0644 /etc/corosync/.corosync.conf.new
mv -f /etc/corosync/.corosync.conf.new /etc/corosync/corosync.conf
"""

# stdin: the text of corosync.conf. $1 "reload": have every member read its file again (one such call serves all members). Corosync puts
# that off while it makes a new membership, so it is asked again, 50 times at most: 5 seconds, on slow nodes 15.
CONFIGURE = (
    BREATHE
    + r"""
set -eu
cat >/etc/corosync/.corosync.conf.new
chmod 0644 /etc/corosync/.corosync.conf.new
mv -f /etc/corosync/.corosync.conf.new /etc/corosync/corosync.conf
[ "$1" = reload ] || exit 0
n=0
until said=$(corosync-cfgtool -R 2>&1); do
  n=$((n + 1))
  case $said in *TRY_AGAIN*) [ $n -lt 50 ] && breathe && continue ;; esac
  printf '%s\n' "$said" >&2
  exit 6
done
"""
)

# What a connection brings back is written to Ansible's log with -vvv, what goes out is not. So the key comes back under a one-time
# pad: stdin has a random number a line, the output is each byte of the key combined with its number.
READ_KEY = r"""
set -eu
exec 3<&0
od -An -v -tu1 -w1 /etc/corosync/authkey | while read -r byte; do
  read -r mask <&3 || { echo "the key is longer than its pad" >&2; exit 1; }
  echo $((byte ^ mask))
done
"""
# More than any key may have (corosync(8): 128 to 4096 bytes are accepted).
PAD_BYTES = 4096

# Start here, then wait until this node is online, the DC rests (so all probes are done) and so many votes are counted.
# $1 node, $2 deadline in seconds, $3 votes to be seen, then nodes to be forgotten. Code 3: the deadline passed; 4: a daemon did not start.
START = (
    _HELPERS
    + _FORGET_ONE
    + r"""
end=$(($(now) + $2))
systemctl start corosync pacemaker || { echo "corosync or pacemaker did not start; see their logs on $1" >&2; exit 4; }
for unit in corosync pacemaker; do systemctl is-enabled --quiet $unit || systemctl enable --quiet $unit || :; done
why="no answer from Pacemaker"
while :; do
  mon=$(monitor) || mon=
  line=$(node_line "$mon" "$1")
  dc=$(dc_of "$mon")
  case $line in
  *' online="true"'*' pending="false"'*)
    if idle "$dc"; then
      votes=$(corosync-quorumtool -s | sed -n 's/^Total votes: *//p')
      [ "$votes" = "$3" ] && break
      why="${votes:-no} votes are counted instead of $3"
    else why="the cluster does not come to rest (DC ${dc:-none})"; fi ;;
  '') [ -z "$mon" ] || why="the node is not in the cluster's list (DC ${dc:-none})" ;;
  *) why="the node is not online yet (DC ${dc:-none})" ;;
  esac
  [ "$(now)" -lt "$end" ] || { echo "after $2 s $why" >&2; exit 3; }
  breathe
done
# Whom an old member could not forget by itself (see FORGET) it forgets when another one asks.
shift 3
for name in "$@"; do forget "$name"; done
exit 0
"""
)

# Wait until the cluster rests. $1 deadline in seconds. Code 3: it passed.
REST = (
    _HELPERS
    + r"""
end=$(($(now) + $1))
while :; do
  dc=$(dc_of "$(monitor)")
  idle "$dc" && exit 0
  [ "$(now)" -lt "$end" ] || { echo "after $1 s the cluster does not come to rest (DC ${dc:-none})" >&2; exit 3; }
  breathe
done
"""
)

# $1 node, $2 on (somebody's wish), leave (a leave's own) or off, $3 deadline in seconds, $4 the id of the entry that a leave makes.
# Waits until nothing runs there any more (on, leave) and the cluster rests. A leave is known by its entry's id, so the mark comes and
# goes with the standby, whoever ends it by whichever tool.
STANDBY = (
    _HELPERS
    + r"""
end=$(($(now) + $3))
node=$1
standby() { crm_attribute --node "$node" --lifetime forever --name standby "$@" || exit 5; }
case $2 in
leave) standby --update on --id "$4" ;;
off) standby --delete ;;
on)
  # An entry keeps its id while it is updated, so that of a leave goes first.
  ! cibadmin --query --xpath "//nvpair[@id='$4']" >/dev/null 2>&1 || standby --delete
  standby --update on ;;
esac
while :; do
  mon=$(monitor)
  line=$(node_line "$mon" "$1")
  done=no
  case $2,$line in
  on,*' standby="true"'*' resources_running="0"'* | leave,*' standby="true"'*' resources_running="0"'*) done=yes ;;
  off,*' standby="false"'*) done=yes ;;
  esac
  if [ $done = yes ] && idle "$(dc_of "$mon")"; then exit 0; fi
  [ "$(now)" -lt "$end" ] || { echo "after $3 s it is not empty with the cluster at rest" >&2; exit 3; }
  breathe
done
"""
)

# The leaver stops, and forgets what would let it come back.
DEPART = r"""
set -eu
systemctl stop pacemaker
systemctl stop corosync
rm -f /etc/corosync/corosync.conf /etc/corosync/authkey
rm -rf /var/lib/pacemaker/cib/* /var/lib/corosync/ringid_*
"""

# $1 node that Pacemaker is to forget, $2 deadline in seconds. Besides the CIB every member's controller has a memory of its own, and
# writes whom it remembers back into the CIB at the next change of membership. `crm_node -R` asks it to forget too, but ends
# without waiting and the controller drops the request of a client that is gone (seen with 2.1.5): so the tool is slowed
# down (it has much to say), asked again while the memory lasts, and runs on every member. A memory that outlives five
# seconds is left to the next join (START), the CIB is not.
FORGET = (
    _HELPERS
    + _FORGET_ONE
    + r"""
end=$(($(now) + $2))
patience=$(($(now) + 5))
clean=0
while :; do
  peers=$(timeout 20 crm_node -l) || peers=unknown
  cib=$(timeout 20 cibadmin -Q)
  state=$(printf '%s\n' "$peers" | awk -v name="$1" '$2 == name {print $3}')
  case $cib in
  '') listed=unknown ;;
  *"uname=\"$1\""*) listed=yes ;;
  *) listed=no ;;
  esac
  if [ "$listed" = unknown ] || [ "$peers" = unknown ] || [ "$state" = member ]; then clean=0
  elif [ "$listed" = no ] && { [ -z "$state" ] || [ "$(now)" -ge "$patience" ]; }; then clean=$((clean + 1))
  else
    clean=0
    forget "$1"
  fi
  [ $clean -lt 2 ] || exit 0
  [ "$(now)" -lt "$end" ] || { echo "after $2 s Pacemaker still knows the node" >&2; exit 3; }
  breathe
done
"""
)

# After the first start: the short dc-deadtime has done its work.
DROP_SEED = r"""
seed="//nvpair[@id='ondemand-dc-deadtime']"
cibadmin --query --xpath "$seed" >/dev/null 2>&1 || exit 0
cibadmin --delete --xpath "$seed"
"""


def key_line(key: bytes) -> str:
    """The key as the first line that INSTALL reads."""
    return base64.b64encode(key).decode("ascii")


def pad_lines(pad: bytes) -> str:
    """The pad as the lines that READ_KEY reads."""
    return "".join("%d\n" % number for number in pad)


def unpadded(told: str, pad: bytes) -> bytes:
    """The key, from what READ_KEY printed under this pad."""
    return bytes(int(line) ^ mask for line, mask in zip(told.split(), pad))


def sections(text: str) -> Dict[str, Tuple[int, str]]:
    """What OBSERVE printed: name to (exit code, output). A section that was cut off is left out."""
    found: Dict[str, Tuple[int, str]] = {}
    for part in text.split("\n" + _SECTION + " ")[1:]:
        name, _newline, rest = part.partition("\n")
        body, mark, rc = rest.rpartition("\n" + _RC + " ")
        if mark and rc.strip().isdigit():
            found[name.strip()] = (int(rc), body)
    return found
