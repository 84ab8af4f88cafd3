# SPDX-License-Identifier: Apache-2.0
"""Hypothesis without timed assertions; fewer examples where kernels run as plain Python."""

import os

from hypothesis import HealthCheck, settings

PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"
settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=25 if PLAIN else 100,
)
settings.load_profile("untimed")
