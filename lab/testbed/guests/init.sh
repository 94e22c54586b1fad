#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# The first process of a container, inside its new namespaces: makes its root of the node image's files and its own, and becomes systemd.
# usage: init.sh DIRECTORY ROOT-DISK UUID [SERIAL LOOP-DEVICE]...
set -eu
directory=$1 disk=$2 uuid=$3
shift 3
mount --make-rprivate /
cd "$directory"
mount -o loop,ro,noload "$disk" lower
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay root
cd root

mount -t proc -o nosuid,nodev,noexec proc proc
# The machine's kernel is nobody's here, but for the network of this namespace.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --bind /proc/sys/net proc/sys/net
if [ -e proc/sysrq-trigger ]; then
	mount --bind proc/sysrq-trigger proc/sysrq-trigger
	mount -o remount,bind,ro proc/sysrq-trigger
fi
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=0755,nosuid tmpfs run
mount -t tmpfs -o mode=0755,nosuid tmpfs dev
mkdir -p dev/pts dev/shm dev/disk/by-id
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for node in null:3 zero:5 full:7 random:8 urandom:9 console:3; do
	mknod -m 0666 "dev/${node%:*}" c 1 "${node#*:}"
done
mknod -m 0666 dev/tty c 5 0
while [ $# -gt 0 ]; do
	name=loop${2#/dev/loop}
	mknod -m 0660 "dev/$name" b 7 "${2#/dev/loop}"
	ln -s "../../$name" "dev/disk/by-id/virtio-$1"
	shift 2
done
# The card comes from outside, once this namespace is known there.
tries=0
until [ -e /proc/1/root/sys/class/net/eth0 ] || [ -e sys/class/net/eth0 ]; do
	tries=$((tries + 1))
	[ "$tries" -lt 400 ] || exit 1
	sleep 0.05
done
pivot_root . mnt
umount -l /mnt
exec env -i container=lxc container_uuid="$uuid" PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init </dev/null >/dev/null 2>&1
