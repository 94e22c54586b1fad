# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The cluster file: its models, its cross rules, its schema, how it is read."""
