# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.day_moments import RollingMoments


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), gaps=st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_moments_are_those_of_the_days_before(seed: int, gaps: list[int]) -> None:
    rng = np.random.default_rng(seed)
    moments = RollingMoments(4, days=5)
    fed: list[tuple[int, np.ndarray]] = []
    day = 100
    for gap in gaps:
        day += gap
        x = (rng.normal(size=(rng.integers(1, 6), 4)) * 3 + 1000).astype(np.float32)
        x[rng.random(x.shape) < 0.2] = np.nan
        moments.add(x, day=day)
        fed.append((day, x))
        for asked in (day, day + 1):
            used = [x for d, x in fed if asked - 5 <= d < asked]
            rows = np.concatenate(used).astype(np.float64) if used else np.empty((0, 4))
            scaling = moments.scaling(day=asked)
            for c in range(4):
                values = rows[~np.isnan(rows[:, c]), c]
                deviation = values.std() if len(values) else 0.0
                np.testing.assert_allclose(scaling.centre[c], values.mean() if len(values) else 0.0)
                np.testing.assert_allclose(scaling.scale[c], deviation or 1.0, rtol=1e-7)


def test_days_go_forward_only() -> None:
    moments = RollingMoments(1)
    with pytest.raises(ValueError, match="day: 3"):
        moments.scaling(day=3)
    moments.add(np.ones((1, 1), np.float32), day=3)
    with pytest.raises(ValueError, match="time order"):
        moments.add(np.ones((1, 1), np.float32), day=2)
    with pytest.raises(ValueError, match="day: 5"):
        moments.scaling(day=5)
    with pytest.raises(ValueError, match="x: shape"):
        moments.add(np.ones((1, 2), np.float32), day=3)
    with pytest.raises(ValueError, match="columns, days"):
        RollingMoments(0)
