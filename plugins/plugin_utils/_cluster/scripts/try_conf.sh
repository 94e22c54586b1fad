# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# try_conf FILE SED...: does Corosync take this file? Asked of a copy that has Corosync's words on stderr, whatever it says of its log.
# Before -c there was only the variable. Code 65: it does not.
#
# put NEW NAME: the new file in the place of NAME, on the disk before it is there by name: a node whose power goes a moment after its join
# would else come back with empty files (seen on ext4).

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
