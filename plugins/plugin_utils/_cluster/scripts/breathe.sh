# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# `breathe` sleeps twice as long as it took since it last returned, at least 0.1 s and at most 3 s: two thirds of the time
# are left to the others. Times are hundredths of a second from /proc/uptime, read without a child process.

clock() { read -r _up _idle </proc/uptime; _now=${_up%.*}${_up#*.}; }
clock; _looked=$_now
breathe() {
  clock
  _pause=$(( (_now - _looked) * 2 ))
  [ "$_pause" -ge 10 ] || _pause=10
  [ "$_pause" -le 300 ] || _pause=300
  _part=$((_pause % 100)); [ "$_part" -ge 10 ] || _part=0$_part
  sleep "$((_pause / 100)).$_part"
  clock; _looked=$_now
}
