# SPDX-License-Identifier: Apache-2.0
"""``Aggregate`` without a transport: its bytes are the message that the kernels' checked door leads to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.v1 import predict_service_pb2 as pb
from consilience.v1 import prediction_pb2
from kernels.methods import PoolingMethod
from kernels.pooling import pool
from server.forecasting.disagreement import decide
from server.forecasting.errors import InvalidRequestError
from server.forecasting.pooling import INTERVAL_LEVEL, INTERVAL_METHOD, POOLINGS, meta_confidence
from server.rpc.aggregate import aggregate_answer
from server.rpc.prediction_out import decision_message


def plainly(rows: np.ndarray, weights: np.ndarray, pooling: str) -> pb.AggregateResponse:
    """The answer, field by field."""
    made = pool(rows, weights, PoolingMethod[pooling.upper()])
    confidence = made.probabilities[made.chosen]
    decision = decide(
        made.vote_share,
        answered=made.present,
        asked=len(rows),
        min_responses=1,
        min_agreement=0.6,
        high_agreement=0.8,
        decided=made.decided,
    )
    return pb.AggregateResponse(
        probabilities=made.probabilities,
        outcome_index=made.chosen,
        confidence=confidence,
        meta_confidence=meta_confidence(confidence, made.vote_share, made.normalised_dispersion),
        agreement=prediction_pb2.Agreement(
            vote_share=made.vote_share,
            dispersion=made.dispersion,
            effective_members=made.effective_members,
            entropy=made.entropy,
            answered=made.present,
            asked=len(rows),
        ),
        interval=prediction_pb2.Interval(
            low=made.interval[0], high=made.interval[1], level=INTERVAL_LEVEL, method=INTERVAL_METHOD
        ),
        decision=decision_message(decision),
        weights=made.used_weights,
        contributions=made.contributions,
    )


@given(
    members=st.integers(1, 400),
    outcomes=st.integers(2, 40),
    pooling=st.sampled_from(POOLINGS),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_bytes_are_the_message(members: int, outcomes: int, pooling: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.dirichlet(np.full(outcomes, 0.5), size=members)
    rows[random.random(members) < 0.2] = np.nan
    rows[0] = 1.0 / outcomes
    weights = random.random(members)
    answer = pb.AggregateResponse.FromString(
        aggregate_answer(
            pb.AggregateRequest(
                probabilities=rows.ravel(), outcome_count=outcomes, weights=weights, pooling=pooling
            ).SerializeToString()
        )
    )
    assert answer == plainly(rows, weights, pooling)


@given(
    first=st.lists(st.floats(0, 1) | st.just(float("nan")), min_size=1, max_size=40),
    pooling=st.sampled_from(POOLINGS),
)
def test_the_bytes_of_a_binary_question_are_the_message(first: list[float], pooling: str) -> None:
    request = pb.AggregateRequest(probabilities=first, pooling=pooling).SerializeToString()
    if np.isnan(first).all():
        with pytest.raises(InvalidRequestError, match="nobody is present"):
            aggregate_answer(request)
        return
    rows = np.column_stack((first, 1.0 - np.array(first)))
    answer = pb.AggregateResponse.FromString(aggregate_answer(request))
    assert answer == plainly(rows, np.ones(len(first)), pooling)


@given(
    probabilities=st.lists(st.floats(allow_nan=True), max_size=40),
    weights=st.lists(st.floats(allow_nan=True), max_size=40),
)
def test_bytes_read_in_place_are_the_message(probabilities: list[float], weights: list[float]) -> None:
    """With an outcome count of 0 written out, which changes nothing, the message's class reads them."""
    data = pb.AggregateRequest(probabilities=probabilities, weights=weights).SerializeToString()
    assert said(data) == said(data + b"\x10\x00")


@pytest.mark.parametrize("end", [end for end in range(1, 28) if end != 10])  # 10: the first field, whole
def test_a_message_cut_short_is_refused(end: int) -> None:
    data = pb.AggregateRequest(probabilities=[0.5], weights=[1.0, 2.0]).SerializeToString()[:end]
    with pytest.raises(InvalidRequestError):
        aggregate_answer(data)


def test_a_field_in_pieces_is_one_field() -> None:
    piece = pb.AggregateRequest(probabilities=[0.25, 0.5]).SerializeToString()
    whole = pb.AggregateRequest(probabilities=[0.25, 0.5, 0.25, 0.5]).SerializeToString()
    assert aggregate_answer(piece + piece) == aggregate_answer(whole)


def said(data: bytes) -> bytes | str:
    """The answer, or what is wrong with the request."""
    try:
        return aggregate_answer(data)
    except InvalidRequestError as error:
        return str(error)
