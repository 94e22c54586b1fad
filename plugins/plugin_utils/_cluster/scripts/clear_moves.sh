# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Removes constraints that a killed move left; $1: their ids.

for one in $1; do cibadmin --delete --scope constraints --xml-text "<rsc_location id=\"$one\"/>" || exit 72; done
