#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# Runs in a mount namespace of its own, where the machine's control groups are mounted at DIRECTORY: a hypervisor of the lab has none.
#   enter.sh DIRECTORY make GROUP COMMAND...   runs the command in a new control group, which is the root of what its systemd sees
#   enter.sh DIRECTORY remove PREFIX           removes the groups whose names begin so; nothing may run in them
set -eu
directory=$1 what=$2 group=$3
shift 3
mount --make-rprivate /
mount -t cgroup2 cgroup2 "$directory"
case $what in
make)
	mkdir -p "$directory/$group"
	echo $$ >"$directory/$group/cgroup.procs"
	umount "$directory"
	exec "$@"
	;;
remove)
	for found in "$directory/$group"*; do
		[ ! -d "$found" ] || find "$found" -depth -type d -exec rmdir {} +
	done
	;;
esac
