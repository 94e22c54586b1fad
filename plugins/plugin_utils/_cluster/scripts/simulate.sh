# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# stdin: a whole CIB with the step in it. Prints what crm_simulate makes of it: the cluster before and after, and what it would do.
# A busy node may need long for a big CIB; no answer in time is no answer (code 124).

# shellcheck source=progress.sh
. ./progress.sh
umask 077
d=$(mktemp -d) || exit 70
trap 'rm -rf "$d"' EXIT
trap 'exit 71' HUP INT TERM PIPE
cat >"$d/cib"
ask crm_simulate --xml-file "$d/cib" --simulate --output-as=xml
