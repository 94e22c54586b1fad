# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The log: lines for people, or JSON for machines, on stderr."""

from __future__ import annotations

import sys
from typing import cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor


def logger(cluster: str, as_json: bool) -> FilteringBoundLogger:
    """A logger that puts time, level and cluster on every line."""
    render: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    made = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
    )
    return cast(FilteringBoundLogger, made.bind(cluster=cluster))
