# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# $@: primitives that are no longer configured. What the members remember of them goes, so that whatever is called like that later has no past.

for one; do crm_resource --refresh --resource "$one" --force >/dev/null 2>&1; done
exit 0
