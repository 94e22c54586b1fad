# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a cluster carries here: clients that keep a ledger of their transactions, and below services what answers them."""
