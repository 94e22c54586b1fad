# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# stdin: base64 of the key on the first line ("-": keep the one that is there), then the text of corosync.conf.
# $1 "fresh": forget what Pacemaker knew before (only asked for where nothing runs and the node is in no cluster).
# $2 seconds of dc-deadtime for a first start, empty for a node that joins. Code 65: Corosync refuses the text, nothing was touched.

# shellcheck source=try_conf.sh
. ./try_conf.sh
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
