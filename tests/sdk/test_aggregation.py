# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from consilience.aggregation import set_probabilities
from consilience.v1 import predict_service_pb2
from tests.sdk.conftest import Ask


def request_of(values: Any) -> predict_service_pb2.AggregateRequest:
    request = predict_service_pb2.AggregateRequest()
    set_probabilities(request, values)
    return request


async def test_aggregate(ask: Ask) -> None:
    pool = await ask("aggregate", [0.7, None, 0.8], weights=[1, 1, 2], parameters={"exponent": 1.5})
    assert (pool.probability, pool.confidence) == (0.7, 0.7)
    assert (pool.weights, pool.contributions) == ((0.5, 0.5), (0.1, -0.1))
    assert pool.interval is None


def test_lists_stay_readable() -> None:
    binary = request_of([0.7, None])
    assert (binary.outcome_count, binary.probabilities[0]) == (0, 0.7)
    assert np.isnan(binary.probabilities[1])
    several = request_of([None, [0.2, 0.3, 0.5]])
    assert several.outcome_count == 3
    np.testing.assert_array_equal(several.probabilities, [np.nan] * 3 + [0.2, 0.3, 0.5])


@given(arrays(st.sampled_from([np.float32, np.float64]), array_shapes(min_dims=1, max_dims=2)))
def test_arrays_are_packed_whatever_their_layout(array: Any) -> None:
    for view in (array, array[::-1], np.asfortranarray(array)):
        tensor = request_of(view).matrix
        assert tuple(tensor.shape) == view.shape
        read = np.frombuffer(tensor.data, "<f8").reshape(view.shape)
        np.testing.assert_array_equal(read, view.astype(np.float64))


def test_shapes_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"probabilities has shape \(2, 2, 2\)"):
        request_of(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=r"probabilities\[1\] has 3 values, the rows before it 2"):
        request_of([[0.5, 0.5], [0.2, 0.3, 0.5]])
    with pytest.raises(ValueError, match=r"probabilities\[1\] has 1 values"):
        request_of([[0.5, 0.5], 0.5])
