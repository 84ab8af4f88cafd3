# SPDX-License-Identifier: Apache-2.0
"""The caller's trace in its metadata, as W3C Trace Context says; what is not well formed is no trace."""

import re
from collections.abc import Mapping

from server.forecasting.prediction import Trace

_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_VERSION_0 = 55
#: Longest that a ``tracestate`` must be carried on; a longer one is dropped, as it may be.
MAX_STATE = 512


def trace_from(metadata: Mapping[str, str]) -> Trace | None:
    """The trace that ``traceparent`` and ``tracestate`` name; None: there is none."""
    parent = metadata.get("traceparent", "").strip()
    if _PARENT.fullmatch(parent) is None or (parent.startswith("00") and len(parent) != _VERSION_0):
        return None
    state = metadata.get("tracestate", "").strip()
    return Trace(parent[:_VERSION_0], state if len(state) <= MAX_STATE else "")
