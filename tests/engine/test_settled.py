# SPDX-License-Identifier: Apache-2.0
"""Whether a running consensus is settled, against the kernels' checked door; and the matrix as it fills."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kernels.bounds import reachable
from kernels.methods import PoolingMethod
from server.engine.settled import outlook
from server.forecasting.answers import Answers, answer_matrix
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.forecasting.pooling import POOLINGS
from server.forecasting.question import Binary, Exclusive, FreeText, Numeric, Question

KINDS = (Binary(), Exclusive(("a", "b", "c")), Numeric((1.0, 2.0, 5.0)), FreeText())


@given(
    st.sampled_from(POOLINGS),
    st.lists(st.tuples(st.floats(0.01, 0.99), st.sampled_from("wph"), st.floats(0.0, 2.0)), min_size=1),
)
def test_an_outlook_says_what_the_checked_door_says(
    pooling: str, members: list[tuple[float, str, float]]
) -> None:
    p = np.array([[x, 1 - x] if state == "h" else [math.nan, math.nan] for x, state, _ in members])
    waiting = np.array([state == "w" for _, state, _ in members])
    weights = np.array([weight for _, _, weight in members])
    expected = reachable(p, waiting, weights, PoolingMethod[pooling.upper()])
    settled = not expected.can_change and expected.can_decide == expected.must_decide
    assert outlook(pooling, {}, len(p), 2).is_settled(p, waiting, weights) == settled


@given(st.sampled_from(KINDS), st.permutations(range(5)), st.integers(0, 5))
def test_answers_one_by_one_make_the_matrix_of_all(
    kind: Binary | Exclusive | Numeric | FreeText, order: list[int], told: int
) -> None:
    question = Question("q", kind=kind)
    collected = Answers(question, [0.0, 0.0, 0.0, 0.9, 0.0])
    answers: list[Answer | None] = [None] * 5
    for row in order[:told]:
        answers[row] = _answer(kind, row)
        collected.put(row, _answer(kind, row))
    whole = answer_matrix(question, answers, [0.0, 0.0, 0.0, 0.9, 0.0])
    assert collected.matrix().outcomes == whole.outcomes
    np.testing.assert_array_equal(collected.matrix().probabilities, whole.probabilities)


def _answer(kind: object, row: int) -> Answer:
    if row == 4:
        return Absent(AbsentReason.PROVIDER_TIMEOUT)
    if isinstance(kind, FreeText):
        return Forecast((), text="left" if row % 2 else "right", self_confidence=0.6)
    if isinstance(kind, Numeric):
        return Forecast((0.1, 0.2 + row / 10, 0.9))
    if isinstance(kind, Exclusive):
        return Forecast((0.2, 0.3, 0.5))
    return Forecast((0.1 + row / 10, 0.9 - row / 10))
