#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# The first process of a cell, inside its new namespaces: lays the cell's own directories over the machine's, waits for its
# network card, and becomes sshd (which, as process 1, also collects orphans). $1 directory of the cell, $2 its name,
# $3 its address with prefix.
set -eu
cell=$1 name=$2 address=$3
mount --make-rprivate /
mount -t proc proc /proc
hostname "$name"
for path in /etc/corosync /var/lib/corosync /var/lib/pacemaker /var/log; do
	mount --bind "$cell/root$path" "$path"
done
mount --bind "$cell/systemctl" /usr/bin/systemctl
mount --bind "$cell/shadow" /etc/shadow
mount --bind "$cell/passwd" /etc/passwd
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
# The cell's files stay reachable under /mnt, for its /run is about to hide them.
mount --bind "$cell" /mnt
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/sshd /run/lock /run/resource-agents
ip link set lo up
tries=200
until ip link show eth0 >/dev/null 2>&1; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || exit 1
	sleep 0.05
done
ip address add "$address" dev eth0
ip link set eth0 up
exec /usr/sbin/sshd -D -E /var/log/sshd.log -f /mnt/sshd_config
