# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# BSD-2-Clause license (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# After the first start: the short dc-deadtime has done its work.

seed="//nvpair[@id='ondemand-dc-deadtime']"
cibadmin --query --xpath "$seed" >/dev/null 2>&1 || exit 0
cibadmin --delete --xpath "$seed"
