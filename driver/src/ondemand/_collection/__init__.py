# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the driver needs of the collection, as links: its build puts the files into the package, so it runs alone. The folders are those of plugins."""
