# SPDX-License-Identifier: Apache-2.0
"""Hypothesis without timed assertions; fewer examples where kernels run as plain Python."""

import os

from hypothesis import settings

PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"
settings.register_profile("kernels", deadline=None, max_examples=25 if PLAIN else 100)
settings.load_profile("kernels")
