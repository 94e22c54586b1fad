# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck source=progress.sh
. ./progress.sh
tell() { printf '\n==ondemand-section== %s\n%s\n==ondemand-rc== %s\n' "$1" "$3" "$2"; }
section() { name=$1; shift; said=$("$@" 2>&1); tell "$name" $? "$said"; }
monitor() { ask crm_mon -1 --output-as=xml; }
dc_of() { printf '%s\n' "$1" | sed -n 's/.*<current_dc [^>]*name="\([^"]*\)".*/\1/p'; }
