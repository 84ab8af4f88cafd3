# SPDX-License-Identifier: Apache-2.0
"""``StreamService``: the same engine calls, event by event."""

import asyncio
from collections.abc import AsyncIterator

from consilience.v1 import market_pb2, predict_service_pb2, prediction_pb2
from consilience.v1 import stream_service_pb2 as pb
from server.engine.events import Arrived, Event, Running, Started
from server.engine.market import MarketEngine, MarketSession
from server.engine.market_events import MarketResponse, Notice, NoticeKind
from server.engine.predict import PredictionEngine
from server.forecasting.errors import InvalidRequestError, NotFoundError
from server.rpc.bind import endless
from server.rpc.call import Call
from server.rpc.market_in import MAX_EVENTS, event_from
from server.rpc.market_out import response_message
from server.rpc.predict import request_from
from server.rpc.prediction_out import agreement_message, member_message, prediction_message
from server.rpc.question_in import question_from
from server.rpc.rules import Rules


class StreamHandlers:
    """One asynchronous generator for each method, free of any transport."""

    def __init__(self, engine: PredictionEngine, market: MarketEngine) -> None:
        self._engine = engine
        self._market = market

    async def stream_predictions(
        self, request: pb.StreamPredictionsRequest, call: Call
    ) -> AsyncIterator[pb.StreamPredictionsResponse]:
        """Each member's answer as it arrives, then the final answer."""
        rules = Rules()
        question = question_from(request.question, rules)
        plain = predict_service_pb2.PredictRequest(options=request.options, request_id=request.request_id)
        (asked,) = request_from(plain, [question], call, rules)
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        answering = asyncio.create_task(
            self._engine.predict(asked, events.put_nowait), name="stream prediction"
        )
        answering.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event_message(event)
            yield pb.StreamPredictionsResponse(prediction=prediction_message(answering.result()))
        finally:
            answering.cancel()

    @endless
    async def stream_market(
        self, requests: AsyncIterator[pb.StreamMarketRequest], call: Call
    ) -> AsyncIterator[pb.StreamMarketResponse]:
        """Book updates in, signals out."""
        del call
        session = self._market.session()
        async for request in requests:
            rules = Rules()
            rules.count("events", request.events, MAX_EVENTS, least=1)
            rules.check()
            for message in request.events:
                async for response in _feed(session, message):
                    yield response_message(response)


async def _feed(session: MarketSession, message: market_pb2.MarketEvent) -> AsyncIterator[MarketResponse]:
    """Feed one event; one that breaks a rule is answered with a notice and the stream goes on."""
    try:
        event = event_from(message)
        async for response in session.feed(event):
            yield response
    except (InvalidRequestError, NotFoundError) as error:
        yield Notice(message.symbol, NoticeKind.INVALID_EVENT, f"{error}; ignored", message.event_time_us)


def event_message(event: Event) -> pb.StreamPredictionsResponse:
    """A step of a prediction as a message."""
    if isinstance(event, Started):
        started = pb.PredictionStarted(
            prediction_id=event.prediction_id, members=event.members, outcomes=event.outcomes
        )
        return pb.StreamPredictionsResponse(started=started)
    return pb.StreamPredictionsResponse(arrived=_arrived(event))


def _arrived(event: Arrived) -> pb.MemberArrived:
    consensus = None if event.running is None else _consensus(event.running)
    return pb.MemberArrived(answer=member_message(event.member), consensus=consensus)


def _consensus(running: Running) -> pb.RunningConsensus:
    pooled = running.pooled
    agreement: prediction_pb2.Agreement = agreement_message(pooled.agreement)
    return pb.RunningConsensus(
        probabilities=pooled.probabilities,
        agreement=agreement,
        outcome=running.outcomes[pooled.chosen],
        settled=running.settled,
    )
