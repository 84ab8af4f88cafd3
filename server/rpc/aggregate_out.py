# SPDX-License-Identifier: Apache-2.0
"""The answer to ``Aggregate``, written as the bytes of its message.

Making a message object, filling it number by number and serialising it cost more
than the pool. The kernel's figures are little-endian float64 in one run, which
is what packed fields are made of, so here they are only framed. Tags come from
the contract's descriptors; a test reads the bytes back as the message.
"""

import sys
from functools import lru_cache
from struct import Struct

from consilience.v1 import predict_service_pb2, prediction_pb2
from kernels.methods import (
    DECIDED,
    DISPERSION,
    EFFECTIVE_MEMBERS,
    ENTROPY,
    INTERVAL_HIGH,
    INTERVAL_LOW,
    PRESENT,
    SUMMARY_SIZE,
    VOTE_SHARE,
)
from server.engine.aggregate import Aggregated, verdict
from server.forecasting.pooling import INTERVAL_LEVEL, INTERVAL_METHOD
from server.rpc.prediction_out import decision_message
from server.rpc.wire import FIXED64, LENGTH, VARINT, tag, varint

if sys.byteorder != "little":
    raise ImportError("the figures of a pool are framed as they lie in memory, which must be little-endian")

_DOUBLE = 8
_ANSWER = predict_service_pb2.AggregateResponse
_AGREEMENT = prediction_pb2.Agreement
_INTERVAL = prediction_pb2.Interval

_PROBABILITIES, _WEIGHTS, _CONTRIBUTIONS, _IN_AGREEMENT, _IN_INTERVAL, _DECISION = (
    bytes([tag(_ANSWER, field, LENGTH)])
    for field in ("probabilities", "weights", "contributions", "agreement", "interval", "decision")
)
_INDEX = tag(_ANSWER, "outcome_index", VARINT)
_CONFIDENCE = tag(_ANSWER, "confidence", FIXED64)
_META_CONFIDENCE = tag(_ANSWER, "meta_confidence", FIXED64)
_VOTE_SHARE = tag(_AGREEMENT, "vote_share", FIXED64)
_DISPERSION = tag(_AGREEMENT, "dispersion", FIXED64)
_EFFECTIVE = tag(_AGREEMENT, "effective_members", FIXED64)
_ENTROPY = tag(_AGREEMENT, "entropy", FIXED64)
_LOW = tag(_INTERVAL, "low", FIXED64)
_HIGH = tag(_INTERVAL, "high", FIXED64)

_CHOICE = Struct("<BBBdBd")
_FOUR = Struct("<BdBdBdBd")
_TWO = Struct("<BdBd")
#: What every interval says besides its ends.
_SAME = prediction_pb2.Interval(level=INTERVAL_LEVEL, method=INTERVAL_METHOD).SerializeToString()
_INTERVAL_HEAD = _IN_INTERVAL + bytes([_TWO.size + len(_SAME)])


def answer_bytes(found: Aggregated, members: int, min_agreement: float, high_agreement: float) -> bytes:
    """An ``AggregateResponse``, serialised. Fields that are 0 are written too, which readers may not mind."""
    figures, summary = found.figures, found.summary
    vote_share, present = summary[VOTE_SHARE], int(summary[PRESENT])
    heads, places = _frame(members, len(figures) // _DOUBLE - SUMMARY_SIZE - 2 * members)
    agreement_head, counts = _counts(present, members)
    return b"".join(
        (
            heads[0],
            figures[places[0]],
            _CHOICE.pack(
                _INDEX, found.chosen, _CONFIDENCE, found.confidence, _META_CONFIDENCE, found.meta_confidence
            ),
            agreement_head,
            _FOUR.pack(
                _VOTE_SHARE,
                vote_share,
                _DISPERSION,
                summary[DISPERSION],
                _EFFECTIVE,
                summary[EFFECTIVE_MEMBERS],
                _ENTROPY,
                summary[ENTROPY],
            ),
            counts,
            _INTERVAL_HEAD,
            _TWO.pack(_LOW, summary[INTERVAL_LOW], _HIGH, summary[INTERVAL_HIGH]),
            _SAME,
            _decision(vote_share, present, members, summary[DECIDED], min_agreement, high_agreement),
            heads[1],
            figures[places[1]],
            heads[2],
            figures[places[2]],
        )
    )


@lru_cache(maxsize=256)
def _frame(members: int, outcomes: int) -> tuple[tuple[bytes, ...], tuple[slice, ...]]:
    """Heads of the three packed fields of that shape, and where their figures lie."""
    heads, places, begin = [], [], SUMMARY_SIZE * _DOUBLE
    for field, count in ((_PROBABILITIES, outcomes), (_WEIGHTS, members), (_CONTRIBUTIONS, members)):
        heads.append(field + varint(count * _DOUBLE))
        places.append(slice(begin, begin + count * _DOUBLE))
        begin += count * _DOUBLE
    return tuple(heads), tuple(places)


@lru_cache(maxsize=256)
def _counts(answered: int, asked: int) -> tuple[bytes, bytes]:
    """Head and tail of an agreement, around its four figures."""
    tail = prediction_pb2.Agreement(answered=answered, asked=asked).SerializeToString()
    return _IN_AGREEMENT + varint(_FOUR.size + len(tail)), tail


@lru_cache(maxsize=4096)
def _decision(  # one for each vote share and threshold: few, and they are sentences
    vote_share: float,
    answered: int,
    asked: int,
    decided: float,
    min_agreement: float,
    high_agreement: float,
) -> bytes:
    decision = verdict(vote_share, answered, asked, decided != 0.0, min_agreement, high_agreement)
    body = decision_message(decision).SerializeToString()
    return _DECISION + varint(len(body)) + body
