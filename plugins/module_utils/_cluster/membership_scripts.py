# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The fixed scripts that run on nodes, and the reader of what they print. Values reach them as $1, $2, ..., secrets by stdin.

They are plain sh with the tools that Corosync and Pacemaker bring. A wait loops here, on the node, because a trip costs more than
many questions. It ends when what it is for has come about (see progress.py), never because the cluster as a whole fell silent, and it
gives up when nothing has changed for a while. `crmadmin` is only asked once a DC is known: without one its 2.1 releases spin until
they are killed.
"""

from __future__ import annotations

import base64
import re
from typing import Dict, Tuple

from .breath import BREATHE
from .progress import PROGRESS

_SECTION = "==ondemand-section=="
_RC = "==ondemand-rc=="

_HELPERS = (
    PROGRESS
    + r"""
tell() { printf '\n==ondemand-section== %s\n%s\n==ondemand-rc== %s\n' "$1" "$3" "$2"; }
section() { name=$1; shift; said=$("$@" 2>&1); tell "$name" $? "$said"; }
monitor() { ask crm_mon -1 --output-as=xml; }
dc_of() { printf '%s\n' "$1" | sed -n 's/.*<current_dc [^>]*name="\([^"]*\)".*/\1/p'; }
"""
)

# history: crm_mon with the operations that were done, without the time of the question: two equal ones mean that nothing happened.
# rest_of NODE RESOURCES MON DC: whether nothing is ahead there; if something is, $why says what.
# own NODE MON: what of the picture is the node's own, its operations among it.
# kept_off NODE MON: Pacemaker has begun nothing there for 30 seconds. It carries out one change at a time, so a slow start somewhere else
#   keeps it from what is ahead here; a node that is what it should be does not wait for that.
_WAITS = (
    _HELPERS
    + r"""
history() { _mon=$(ask crm_mon -1 --operations --output-as=xml) && printf '%s\n' "$_mon" | sed '/<last_update /d'; }
node_line() { printf '%s\n' "$1" | grep -F "<node name=\"$2\" " | grep -F 'online=' | head -n 1; }
rest_of() {
  if left=$(ahead_of "$1" "$2" "$3"); then
    [ -n "$left" ] || return 0
    why="Pacemaker has still to act with $(printf '%s\n' "$left" | paste -s -d, | sed 's/,/, /g') (DC ${4:-none})"
    stuck "$left" "$4"
  else why="Pacemaker did not tell what it has still to do (DC ${4:-none})"; return 1; fi
}
own() {
  node_line "$2" "$1"
  printf '%s\n' "$2" | awk -v node="$1" '
    /<node_history>/ { on = 1 }
    on && index($0, "<node name=\"" node "\"") { mine = 1 }
    mine { print }
    /<\/node>/ { mine = 0 }'
}
kept_off() {
  case $(own "$1" "$2") in *' call="-1"'*) return 1 ;; esac
  [ $((_t - _moved)) -ge 30 ] || return 1
  why="$why, and is kept from it by something else"
}
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
[ -z "$dc" ] || section dc ask crmadmin -S "$dc"
exit 0
"""
)

# try_conf FILE SED...: does Corosync take this file? Asked of a copy that has Corosync's words on stderr, whatever it says of its log.
# Before -c there was only the variable. Code 65: it does not.
#
# put NEW NAME: the new file in the place of NAME, on the disk before it is there by name: a node whose power goes a moment after its join
# would else come back with empty files (seen on ext4).
_TRY = r"""
put() {
  sync "/etc/corosync/$1"
  mv -f "/etc/corosync/$1" "/etc/corosync/$2"
  sync /etc/corosync
}
try_conf() {
  file=$1; shift
  sed -e 's/^\([[:space:]]*to_stderr:\).*/\1 yes/' "$@" "$file" >/etc/corosync/.corosync.conf.try
  if COROSYNC_MAIN_CONFIG_FILE=/etc/corosync/.corosync.conf.try corosync -c /etc/corosync/.corosync.conf.try -t >&2; then
    rm -f /etc/corosync/.corosync.conf.try
  else
    rm -f /etc/corosync/.corosync.conf.try "$file"
    exit 65
  fi
}
"""
REFUSED_FILE = 65
REFUSED_RELOAD = 66

# stdin: base64 of the key on the first line ("-": keep the one that is there), then the text of corosync.conf.
# $1 "fresh": forget what Pacemaker knew before (only asked for where nothing runs and the node is in no cluster).
# $2 seconds of dc-deadtime for a first start, empty for a node that joins. Code 65: Corosync refuses the text, nothing was touched.
INSTALL = (
    _TRY
    + r"""
set -eu
umask 077
IFS= read -r key
cat >/etc/corosync/.corosync.conf.new
if [ "$key" != - ]; then
  printf '%s' "$key" | base64 -d >/etc/corosync/.authkey.new
  chmod 0400 /etc/corosync/.authkey.new
  trap 'rm -f /etc/corosync/.authkey.new' EXIT
  try_conf /etc/corosync/.corosync.conf.new -e '/^[[:space:]]*totem[[:space:]]*{/a keyfile: /etc/corosync/.authkey.new'
else
  try_conf /etc/corosync/.corosync.conf.new
fi
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
[ "$key" = - ] || put .authkey.new authkey
chmod 0644 /etc/corosync/.corosync.conf.new
put .corosync.conf.new corosync.conf
"""
)

# stdin: the text of corosync.conf. Corosync is asked whether it takes it, the old file is kept beside it, then the text takes its place.
# $1 "write", or "reload": have every member read its file again (one such call serves all members). Corosync puts that off while it makes
# a new membership, so it is asked again, 50 times at most: 5 seconds, on slow nodes 15. $2 "back": an old text that goes back to its place,
# not tried. Code 65: Corosync refuses the text, nothing was touched; 66: it refuses the reload, and goes on with what it had read before.
CONFIGURE = (
    BREATHE
    + _TRY
    + r"""
set -eu
cat >/etc/corosync/.corosync.conf.new
chmod 0644 /etc/corosync/.corosync.conf.new
[ "${2:-}" = back ] || try_conf /etc/corosync/.corosync.conf.new
cmp -s /etc/corosync/.corosync.conf.new /etc/corosync/corosync.conf || [ ! -e /etc/corosync/corosync.conf ] ||
  cp -p /etc/corosync/corosync.conf /etc/corosync/corosync.conf.before
put .corosync.conf.new corosync.conf
[ "$1" = reload ] || exit 0
n=0
until said=$(corosync-cfgtool -R 2>&1); do
  n=$((n + 1))
  case $said in *TRY_AGAIN*) [ $n -lt 50 ] && breathe && continue ;; esac
  printf '%s\n' "$said" >&2
  exit 66
done
# A reload is reported as done where only its order was taken; what became of it stands in cmap, in releases that tell it.
status=$(corosync-cmapctl -g config.reload_status 2>/dev/null) || exit 0
case $status in '' | *' = 1') ;; *) printf 'Corosync did not take it over: %s\n' "$status" >&2; exit 66 ;; esac
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

# Start here, then wait until this node is a full member (in a part with quorum, its controller joined and not pending) and nothing that
# is to run on it is still to be probed or started. $1 node, $2 seconds without progress, $3 seconds at most, then nodes to be forgotten.
# Code 3: no member in time; 4: a daemon did not start; 7: a member, but not all that is to run there does.
START = (
    _WAITS
    + _FORGET_ONE
    + r"""
begin "$2" "$3"
systemctl start corosync pacemaker || { echo "corosync or pacemaker did not start; see their logs on $1" >&2; exit 4; }
for unit in corosync pacemaker; do systemctl is-enabled --quiet $unit || systemctl enable --quiet $unit || :; done
why="Pacemaker did not answer"
code=3
while :; do
  mon=$(history) || mon=
  line=$(node_line "$mon" "$1")
  dc=$(dc_of "$mon")
  votes=$(corosync-quorumtool -s 2>&1 | sed -n -e '/^Quorate:/p' -e '/^Total votes:/p' -e '/^Expected votes:/p' -e '/^Ring ID:/p')
  case $line in
  *' online="true"'*' pending="false"'*)
    case $votes in
    *Quorate:*Yes*) code=7; ! rest_of "$1" "" "$mon" "$dc" || { code=0; break; } ;;
    *) code=3; why="the node has no quorum with the others ($(printf '%s\n' "$votes" | tr -s ' ' | paste -s -d, | sed 's/,/, /g'))" ;;
    esac ;;
  '') [ -z "$mon" ] || why="the node is not in the cluster's list (DC ${dc:-none})" ;;
  *) code=3; why="the node is not online yet (DC ${dc:-none})" ;;
  esac
  [ $code = 3 ] && picture=$mon$votes || picture=$votes$(own "$1" "$mon")
  if over "$picture" || { [ $code = 7 ] && kept_off "$1" "$mon"; }; then echo "$(spent) $why" >&2; break; fi
  breathe
done
# Whom an old member could not forget by itself (see FORGET) it forgets when another one asks.
shift 3
[ $code = 3 ] || for name in "$@"; do forget "$name"; forget "$name"; done
exit $code
"""
)

# $1 node, $2 on (somebody's wish), leave (a leave's own) or off, $3 seconds without progress, $4 seconds at most, $5 the id of the entry
# that a leave makes. Waits until nothing runs there any more and what did has started elsewhere or cannot (on, leave), or until what is
# to run there does (off). A leave is known by its entry's id, so the mark comes and goes with the standby, whoever ends it by whichever
# tool. Code 3: it was not so in time; 7: the node is active or empty, but not all that is to run there, or ran there, does.
STANDBY = (
    _WAITS
    + r"""
node=$1
standby() { crm_attribute --node "$node" --lifetime forever --name standby "$@" || exit 5; }
running() {
  printf '%s\n' "$1" | awk -v node="$node" '
    /<resource / { match($0, / id="[^"]*"/); id = substr($0, RSTART + 5, RLENGTH - 6); sub(/:[0-9]+$/, "", id) }
    /<node name=/ && id != "" && index($0, "<node name=\"" node "\"") { print id }
    /<\/resource>|<resource .*\/>/ { id = "" }' | sort -u | paste -s -d' '
}
begin "$3" "$4"
ours=
[ "$2" = off ] || ours=$(running "$(history)")
case $2 in
leave) standby --update on --id "$5" ;;
off) standby --delete ;;
on)
  # An entry keeps its id while it is updated, so that of a leave goes first.
  ! cibadmin --query --xpath "//nvpair[@id='$5']" >/dev/null 2>&1 || standby --delete
  standby --update on ;;
esac
why="Pacemaker did not answer"
code=3
while :; do
  mon=$(history) || mon=
  line=$(node_line "$mon" "$1")
  case $2,$line in
  on,*' standby="true"'*' resources_running="0"'* | leave,*' standby="true"'*' resources_running="0"'*)
    code=3
    ! rest_of "" "$ours" "$mon" "$(dc_of "$mon")" || exit 0
    case $left$line_end in
    *" on $1$line_end"*) why="it is not empty yet: $why" ;;
    ?*" on "*) [ "$2" = leave ] || code=7 ;;
    esac ;;
  off,*' standby="false"'*)
    code=7
    ! rest_of "$1" "" "$mon" "$(dc_of "$mon")" || exit 0 ;;
  off,*) [ -z "$mon" ] || why="it is still in standby" ;;
  *)
    code=3
    [ -z "$mon" ] || why="it is not empty yet ($(running "$mon") still there)" ;;
  esac
  [ $code = 3 ] && picture=$mon || picture=$(own "$1" "$mon")
  if over "$picture" || { [ $code = 7 ] && kept_off "$1" "$mon"; }; then echo "$(spent) $why" >&2; exit $code; fi
  breathe
done
"""
)

# The leaver stops, and forgets what would let it come back.
DEPART = r"""
set -eu
systemctl stop pacemaker
systemctl stop corosync
rm -f /etc/corosync/corosync.conf /etc/corosync/corosync.conf.before /etc/corosync/authkey
rm -rf /var/lib/pacemaker/cib/* /var/lib/corosync/ringid_*
"""

# $1 node that Pacemaker is to forget, $2 seconds without progress, $3 seconds at most. Besides the CIB every member's controller has a memory of its own, and
# writes whom it remembers back into the CIB at the next change of membership. `crm_node -R` asks it to forget too, but ends
# without waiting and the controller drops the request of a client that is gone (seen with 2.1.5): so the tool is slowed
# down (it has much to say), asked again while the memory lasts, and runs on every member. A memory that outlives five
# seconds is left to the next join (START), the CIB is not.
FORGET = (
    _HELPERS
    + _FORGET_ONE
    + r"""
begin "$2" "$3"
patience=$(($(seconds) + 5))
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
  elif [ "$listed" = no ] && { [ -z "$state" ] || [ "$(seconds)" -ge "$patience" ]; }; then clean=$((clean + 1))
  else
    clean=0
    forget "$1"
  fi
  [ $clean -lt 2 ] || exit 0
  if over "$peers$cib"; then echo "$(spent) Pacemaker still knows the node (listed: $listed, state: ${state:-none})" >&2; exit 3; fi
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


def corosync_words(said: str) -> str:
    """What Corosync says against a file or a reload, as one clause: without dates, subsystems and the news that it ends."""
    words = []
    for line in said.splitlines():
        line = re.sub(r"^.*?\[[A-Z]+ *\] ", "", line.strip())
        line = re.sub(r"^(parse error in config|parser error): ", "", line).replace("/etc/corosync/.corosync.conf.try:", "line ")
        if line and not line.startswith("Corosync Cluster Engine exiting") and line.rstrip(".") not in words:
            words.append(line.rstrip("."))
    return "; ".join(words) or "it gives no reason"


def sections(text: str) -> Dict[str, Tuple[int, str]]:
    """What OBSERVE printed: name to (exit code, output). A section that was cut off is left out."""
    found: Dict[str, Tuple[int, str]] = {}
    for part in text.split("\n" + _SECTION + " ")[1:]:
        name, _newline, rest = part.partition("\n")
        body, mark, rc = rest.rpartition("\n" + _RC + " ")
        if mark and rc.strip().isdigit():
            found[name.strip()] = (int(rc), body)
    return found
