# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# After the first start: the short dc-deadtime has done its work.

seed="//nvpair[@id='ondemand-dc-deadtime']"
cibadmin --query --xpath "$seed" >/dev/null 2>&1 || exit 0
cibadmin --delete --xpath "$seed"
