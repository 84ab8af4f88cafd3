# SPDX-License-Identifier: Apache-2.0
"""Hypothesis without timed assertions; fewer examples where kernels run as plain Python; patient loops."""

import os
from collections.abc import Callable, Mapping

from hypothesis import HealthCheck, settings

from tests.patience import PatientLoop

#: Tests run side by side: threads that wait for each other by spinning would take the others' processors.
os.environ.setdefault("OMP_NUM_THREADS", "1")
PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"
settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=25 if PLAIN else 100,
)
settings.load_profile("untimed")


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], PatientLoop]]:
    """A test is not to fail because the machine was busy with something else."""
    return {"patient": PatientLoop}
