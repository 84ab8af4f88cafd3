# SPDX-License-Identifier: Apache-2.0
"""What a market stream says, for the wire."""

import numpy as np
from numpy.typing import NDArray

from consilience.v1 import market_pb2, tensor_pb2
from consilience.v1 import stream_service_pb2 as pb
from server.engine.market_events import Inputs, MarketResponse, Notice, NoticeKind, Signal
from server.rpc.prediction_out import agreement_message, decision_message, member_message
from server.rpc.times import duration

_KINDS = {kind: getattr(market_pb2, f"MARKET_NOTICE_KIND_{kind.name}") for kind in NoticeKind}


def response_message(response: MarketResponse) -> pb.StreamMarketResponse:
    """One thing that the stream says."""
    if isinstance(response, Signal):
        return pb.StreamMarketResponse(signal=_signal(response))
    if isinstance(response, Notice):
        return pb.StreamMarketResponse(notice=_notice(response))
    return pb.StreamMarketResponse(features=_inputs(response))


def _signal(signal: Signal) -> market_pb2.MarketSignal:
    prediction = signal.prediction
    return market_pb2.MarketSignal(
        symbol=signal.symbol,
        event_time_us=signal.event_time_us,
        sequence=signal.sequence,
        warm=signal.warm,
        horizon_updates=signal.horizon_updates,
        outcomes=prediction.outcomes,
        probabilities=prediction.probabilities,
        direction=signal.call.direction,
        confidence=signal.call.confidence,
        meta_confidence=signal.call.meta_confidence,
        agreement=agreement_message(prediction.agreement),
        decision=decision_message(prediction.decision),
        members=[member_message(member) for member in prediction.members],
        best_bid_ticks=signal.best_bid_ticks,
        best_ask_ticks=signal.best_ask_ticks,
        latency=duration(signal.latency_s),
        should_trade=signal.call.should_trade,
        not_traded_reason=signal.call.reason,
    )


def _notice(notice: Notice) -> market_pb2.MarketNotice:
    return market_pb2.MarketNotice(
        symbol=notice.symbol,
        kind=_KINDS[notice.kind],
        detail=notice.detail,
        event_time_us=notice.event_time_us,
    )


def _inputs(inputs: Inputs) -> market_pb2.MarketFeatures:
    return market_pb2.MarketFeatures(
        symbol=inputs.symbol,
        event_time_us=inputs.event_time_us,
        sequence=inputs.sequence,
        warm=inputs.warm,
        features=_tensor(inputs.features),
        window=_tensor(inputs.window),
    )


def _tensor(values: NDArray[np.float32] | None) -> tensor_pb2.Tensor | None:
    if values is None:
        return None
    packed = np.ascontiguousarray(values, dtype="<f4")
    return tensor_pb2.Tensor(data_type=tensor_pb2.DATA_TYPE_FP32, shape=packed.shape, data=packed.tobytes())
