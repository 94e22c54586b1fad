# shellcheck shell=sh
# Copyright: (c) 2026, the ondemand.cluster contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# value: the lease as this node's CIB has it; ENXIO (105): there is none yet. cas TOKEN UNTIL SINCE HOLDER PURPOSE OLD: takes it if it is still OLD.

lease_xpath="//nvpair[@id='ondemand-lease']"
value() {
  _said=$(cibadmin --query "$@" --xpath "$lease_xpath" </dev/null 2>/dev/null); _rc=$?
  _said=${_said#*' value="'}
  printf '%s' "${_said%%'"'*}"
  return $_rc
}
cas() {
  _pair="<nvpair id=\"ondemand-lease\" name=\"ondemand-lease\" value=\"$1 $2 $3 $4 $5\"/>"
  if [ -n "$6" ]; then
    cibadmin --replace --xpath "${lease_xpath}[@value='$6']" --xml-text "$_pair"
  else
    cibadmin --create --scope crm_config --xml-text "<cluster_property_set id=\"ondemand-lease-set\">$_pair</cluster_property_set>"
  fi </dev/null >/dev/null 2>&1
}
