#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# Stands in for systemctl inside a cell, which has no systemd: starts and stops Corosync and Pacemaker as their units do
# (Corosync counts as started when it answers; Pacemaker requires Corosync and is stopped before it).
set -u
state=/run/cell-units
mkdir -p "$state"

alive() { # UNIT: is the process that we started still there and not a zombie?
	[ -s "$state/$1.pid" ] || return 1
	pid=$(cat "$state/$1.pid")
	[ -r "/proc/$pid/stat" ] || return 1
	case $(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null) in Z | X | '') return 1 ;; esac
}

spawn() { # UNIT COMMAND...: start it in a session of its own and remember its pid
	unit=$1
	shift
	setsid "$@" </dev/null >/dev/null 2>&1 &
	echo $! >"$state/$unit.pid"
}

wait_gone() { # UNIT SECONDS
	tries=$(($2 * 20))
	while alive "$1"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

start() {
	if alive "$1"; then return 0; fi
	case $1 in
	corosync)
		spawn corosync corosync -f
		tries=600
		until corosync-cmapctl -g runtime.services.cmap.service_id >/dev/null 2>&1; do
			alive corosync || return 1
			tries=$((tries - 1))
			[ "$tries" -gt 0 ] || return 1
			sleep 0.05
		done
		;;
	pacemaker)
		start corosync || return 1
		spawn pacemaker pacemakerd
		;;
	*)
		echo "Failed to start $1.service: Unit $1.service not found." >&2
		return 5
		;;
	esac
}

stop() {
	case $1 in
	corosync)
		stop pacemaker || return 1
		if alive corosync; then
			corosync-cfgtool -H --force >/dev/null 2>&1 || kill "$(cat "$state/corosync.pid")"
			wait_gone corosync 60 || return 1
		fi
		;;
	pacemaker)
		if alive pacemaker; then
			kill "$(cat "$state/pacemaker.pid")"
			wait_gone pacemaker 600 || return 1
		fi
		;;
	*)
		echo "Failed to stop $1.service: Unit $1.service not loaded." >&2
		return 5
		;;
	esac
	rm -f "$state/$1.pid"
}

verb=
now=
units=
for word in "$@"; do
	case $word in
	--now) now=yes ;;
	-*) ;;
	*) if [ -z "$verb" ]; then verb=$word; else units="$units ${word%.service}"; fi ;;
	esac
done

rc=0
for unit in $units; do
	case $verb in
	start) start "$unit" || rc=$? ;;
	stop) stop "$unit" || rc=$? ;;
	restart)
		stop "$unit" || rc=$?
		start "$unit" || rc=$?
		;;
	enable)
		touch "$state/$unit.enabled"
		if [ -n "$now" ]; then start "$unit" || rc=$?; fi
		;;
	disable)
		rm -f "$state/$unit.enabled"
		if [ -n "$now" ]; then stop "$unit" || rc=$?; fi
		;;
	is-active) if alive "$unit"; then echo active; else
		echo inactive
		rc=3
	fi ;;
	is-enabled) if [ -e "$state/$unit.enabled" ]; then echo enabled; else
		echo disabled
		rc=1
	fi ;;
	reset-failed) ;;
	*)
		echo "the cell's systemctl does not know the verb '$verb'" >&2
		rc=1
		;;
	esac
done
exit "$rc"
