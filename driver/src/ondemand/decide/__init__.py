# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What should be: pure functions from signals and memory to a wanted number of nodes."""
