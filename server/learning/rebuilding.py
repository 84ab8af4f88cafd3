# SPDX-License-Identifier: Apache-2.0
"""What the stored past teaches, told again in the order of time."""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence

from server.forecasting.outcomes import Case, InForce, truth
from server.learning.memory import DAY_US, Judged, Memory


def rebuilt(
    cases: Sequence[Case],
    known: Sequence[InForce],
    prices: Mapping[str, str],
    limit_us: int | None = None,
) -> Memory:
    """A memory that has seen all cases, and all outcomes at the instants at which they became known.

    Outcomes of one instant come together, and so do a day's answers; outcomes come
    before the answers that were asked for the same instant.
    """
    memory = Memory(prices, limit_us)
    found = judgements(cases, known)
    days = _by_day(cases)
    for time_us in sorted({*found, *days}):
        if time_us in found:
            memory.learn(found[time_us], time_us)
        memory.watch(days.get(time_us, ()))
    return memory


def judgements(cases: Sequence[Case], known: Sequence[InForce]) -> dict[int, list[Judged]]:
    """Answers with their outcomes, by the instant at which these became known, in order of time."""
    of_question: dict[str, list[Case]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: (case.asked_us, case.question_id, case.prediction_id)):
        of_question[case.question_id].append(case)
    found: dict[int, list[Judged]] = defaultdict(list)
    for one in known:
        for case in of_question.get(one.question_id, ()):
            happened = truth(case, one.resolution)
            if happened is not None:
                found[one.known_us].append((case, happened))
    return {
        known_us: sorted(
            found[known_us], key=lambda pair: (pair[0].asked_us, pair[0].question_id, pair[0].prediction_id)
        )
        for known_us in sorted(found)
    }


def _by_day(cases: Sequence[Case]) -> dict[int, list[Case]]:
    """Each day's answers, by the first instant of that day for which something was asked."""
    ordered = sorted(cases, key=lambda case: (case.asked_us, case.question_id, case.prediction_id))
    days = (list(day) for _, day in itertools.groupby(ordered, key=lambda case: case.asked_us // DAY_US))
    return {day[0].asked_us: day for day in days}
