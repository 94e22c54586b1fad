# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The demo: the main job from a stated requirement to a report. `python3 -m lab.demo`, or script/demo."""
