# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# BSD-2-Clause license (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# $@: primitives that are no longer configured. What the members remember of them goes, so that whatever is called like that later has no past.

for one; do crm_resource --refresh --resource "$one" --force >/dev/null 2>&1; done
exit 0
