#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# Furnishes a space from within its fresh namespaces, then stays as the process that holds them.
# usage: space.sh NAME DIRECTORY KIND HOME
set -euo pipefail
name=$1 directory=$2 kind=$3 home=$4

echo "$name" > /proc/sys/kernel/hostname
# Copies of other network namespaces' mounts would keep those alive after their owners deleted them.
umount -R -l /run/netns 2>/dev/null || :

over() { mount --bind "$directory/$1" "$2"; }

over hosts /etc/hosts
if [ -e /etc/resolv.conf ]; then over resolv.conf "$(readlink -f /etc/resolv.conf)"; fi

case $kind in
hypervisor)
    # An empty /run: no systemd, D-Bus or udev socket of the real machine is seen here.
    mount -t tmpfs -o mode=0755,size=64m tmpfs /run
    mkdir -p /run/libvirt /run/sshd /run/lock
    # The new sysfs shows this network namespace's devices. Control groups go away with the old one: two daemons would
    # meet in them, and leave empty ones behind.
    umount -R -l /sys
    mount -t sysfs sysfs /sys
    over lib /var/lib/libvirt
    over cache /var/cache/libvirt
    over log /var/log/libvirt
    over etc /etc/libvirt
    over shadow /etc/shadow
    # A home of its own: shell settings of the person at this machine are none of a hypervisor's.
    over home "$home"
    # Read-only, for QEMU runs as root here, whom a mode of 000 alone would not keep out: libvirt would find KVM "usable now"
    # at every query and probe QEMU anew, seconds each time.
    if [ -e "$directory/kvm" ]; then
        over kvm /dev/kvm
        mount -o remount,bind,ro /dev/kvm
    fi
    ;;
operator)
    over ssh "$home/.ssh"
    ;;
esac

: > "$directory/ready"
# Orphans end here (this is process 1 of a hypervisor's namespace); an ignored SIGCHLD lets the kernel bury them (dash would not pass it on).
trap '' CHLD
exec sleep infinity
