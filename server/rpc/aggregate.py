# SPDX-License-Identifier: Apache-2.0
"""``Aggregate``: a matrix in, a pool out. Written for microseconds."""

from server.engine.aggregate import aggregate
from server.rpc.aggregate_in import asked_of
from server.rpc.aggregate_out import answer_bytes


def aggregate_answer(data: bytes) -> bytes:
    """Pool the forecasts of an ``AggregateRequest``, serialised, into an ``AggregateResponse``, serialised.

    Raises:
        InvalidRequestError: a field breaks a rule.
        PluginError: a plugged-in pooling is broken.
    """
    asked = asked_of(data)
    found = aggregate(asked.probabilities, asked.weights, asked.pooling, asked.parameters)
    return answer_bytes(found, len(asked.weights), *asked.thresholds)
