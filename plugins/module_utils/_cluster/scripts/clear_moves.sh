# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# BSD-2-Clause license (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Removes constraints that a killed move left; $1: their ids.

for one in $1; do cibadmin --delete --scope constraints --xml-text "<rsc_location id=\"$one\"/>" || exit 72; done
