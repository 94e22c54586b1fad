# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The steps done: playbooks through ansible-runner in a child process, or a dry run."""
