# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# What a node knows: its files, its units, and where the cluster runs, the cluster's own word.

# shellcheck source=sections.sh
. ./sections.sh
# shellcheck source=votes.sh
. ./votes.sh
section key sha256sum /etc/corosync/authkey
section seed grep -c 'id="ondemand-dc-deadtime"' /var/lib/pacemaker/cib/cib.xml
states=$(systemctl is-active corosync pacemaker)
for unit in corosync pacemaker; do
  state=${states%%"$line_end"*}
  states=${states#*"$line_end"}
  if [ "$state" = active ]; then tell $unit 0 active; else tell $unit 3 "$state"; fi
  [ $unit != corosync ] || corosync=$state
done
# What Corosync has taken over may be less than its file says, and Pacemaker may remember whom no list has any more.
[ "$corosync" != active ] || section loaded ask corosync-cmapctl nodelist. quorum.
[ "$state" != active ] || section peers ask crm_node -l
printf '\n==ondemand-section== conf\n'
cat /etc/corosync/corosync.conf 2>&1
printf '\n==ondemand-rc== %s\n' $?
[ "$1" = files ] && exit 0
section votes votes
section cib cibadmin -Q
mon=$(monitor)
tell monitor $? "$mon"
dc=$(dc_of "$mon")
[ -z "$dc" ] || section dc ask crmadmin -S "$dc"
exit 0
