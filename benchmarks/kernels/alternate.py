# SPDX-License-Identifier: Apache-2.0
"""Contenders measured by turns, so that what disturbs one disturbs all; ratios with intervals."""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: One call of a timing should last at least this long.
LEAST_S = 0.004
RESAMPLES = 2000


@dataclass
class Case:
    """One piece of work and those who do it.

    ``ours`` names the contender that the others are compared with. ``check``
    compares what a contender returns with what ours returns, before anything is
    timed. ``elements`` is what a time is divided by; 0 shows the time of a call.
    """

    name: str
    ours: str
    contenders: dict[str, Callable[[], Any]]
    elements: int = 0
    tolerance: float = 1e-5
    floors: tuple[str, ...] = ()
    skipped: list[str] = field(default_factory=list)


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """Median times, and ratios to ours with 95 % bootstrap intervals over the rounds."""
    disagree(case)
    repeats = {name: enough(call) for name, call in case.contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in case.contenders}
    order = list(case.contenders)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            times[name].append(timed(case.contenders[name], repeats[name]))
    ours = times[case.ours]
    return {
        "name": case.name,
        "ours": case.ours,
        "elements": case.elements,
        "skipped": case.skipped,
        "contenders": {
            name: {
                "median_s": statistics.median(own),
                "best_s": min(own),
                "floor": name in case.floors,
                **({} if name == case.ours else ratio(own, ours)),
            }
            for name, own in times.items()
        },
    }


def disagree(case: Case) -> None:
    """Stop where a contender computes something else than ours."""
    expected = case.contenders[case.ours]()
    for name, call in case.contenders.items():
        if name not in case.floors and expected is not None:
            np.testing.assert_allclose(
                np.asarray(call(), float),
                np.asarray(expected, float),
                atol=case.tolerance,
                err_msg=f"{case.name}: {name} does not agree with {case.ours}",
            )


def enough(call: Callable[[], Any]) -> int:
    """Calls that last at least LEAST_S together, after a warm-up."""
    call()
    repeats = 1
    while timed(call, repeats) * repeats < LEAST_S:
        repeats *= 2
    return repeats


def timed(call: Callable[[], Any], repeats: int) -> float:
    """Seconds of one call."""
    own = getattr(call, "seconds", None)
    if own is not None:  # it runs in another process, which keeps the time itself
        return float(own(repeats))
    begun = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - begun) / repeats


def ratio(own: Sequence[float], ours: Sequence[float]) -> dict[str, float]:
    """How many times ours its time is: median over rounds, and the interval of that median."""
    ratios = np.array(own) / np.array(ours)
    drawn = np.random.default_rng(0).choice(ratios, (RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return {"ratio": float(np.median(ratios)), "ratio_low": float(low), "ratio_high": float(high)}
