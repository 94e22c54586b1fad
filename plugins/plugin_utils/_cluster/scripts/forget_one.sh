# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

forget() { timeout 20 crm_node -VVVVV --force -R "$1" >/dev/null 2>&1 || :; }
