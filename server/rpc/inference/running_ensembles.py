# SPDX-License-Identifier: Apache-2.0
"""An ensemble that tells how its answer comes about, as a decoupled model."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from server.engine.ensembles import Ensemble
from server.engine.events import Arrived, Event, Started
from server.forecasting.prediction import Agreement, Prediction
from server.inference.servable import Array, TensorForm, Wishes
from server.inference.statistics import Responses
from server.rpc.inference.answers import Column, column, tensors
from server.rpc.inference.ensemble_base import CountedEnsemble, Engines, form_of
from server.rpc.inference.questions import QUESTION_INPUTS, questions_from, requests_from

SUFFIX = ".running"


@dataclass(frozen=True, slots=True)
class _Step:
    """One response of a running answer."""

    prediction: Prediction | None
    event: Arrived | None
    asked: int


RUNNING_COLUMNS = (
    Column(TensorForm("probabilities", "FP64", (-1,)), lambda step: _pooled(step)[0]),
    Column(TensorForm("outcomes", "BYTES", (-1,)), lambda step: _pooled(step)[1]),
    column("vote_share", "FP64", lambda step: _pooled(step)[2].vote_share),
    column("dispersion", "FP64", lambda step: _pooled(step)[2].dispersion),
    column("answered", "INT32", lambda step: _pooled(step)[2].answered),
    column("asked", "INT32", lambda step: step.asked),
    column("settled", "BOOL", lambda step: step.event is None or step.event.running.settled),
    column("member", "BYTES", lambda step: step.event.member.member if step.event else ""),
    column(
        "decision", "BYTES", lambda step: step.prediction.decision.action.value if step.prediction else ""
    ),
    column("prediction_id", "BYTES", lambda step: step.prediction.id if step.prediction else ""),
)


class RunningEnsemble(CountedEnsemble):
    """Answers one question with the consensus so far, again and again, and at last with the answer."""

    def __init__(self, ensemble: Ensemble, engines: Engines) -> None:
        super().__init__(
            form_of(ensemble, QUESTION_INPUTS, RUNNING_COLUMNS, 1, suffix=SUFFIX, decoupled=True)
        )
        self._engine = engines.engine
        self._name = ensemble.spec.name

    async def answer(self, inputs: Mapping[str, Array], wishes: Wishes) -> Sequence[Array]:
        """The last response alone."""
        last: Sequence[Array] = ()
        async for last, _ in self.answers(inputs, wishes):  # noqa: B007 - the last one is wanted
            pass
        return last

    async def answers(
        self, inputs: Mapping[str, Array], wishes: Wishes
    ) -> AsyncIterator[tuple[Sequence[Array], bool]]:
        """A response for each member that answers, then the final one."""
        (request,) = requests_from(questions_from(inputs), self._name, wishes)
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        predicting = asyncio.ensure_future(self.counted(1, self._engine.predict(request, events.put_nowait)))
        predicting.add_done_callback(lambda _: events.put_nowait(None))
        asked = 0
        try:
            with Responses(self._statistics) as responses:
                while (event := await events.get()) is not None:
                    if isinstance(event, Started):
                        asked = len(event.members)
                    elif event.running is not None:
                        yield _written(_Step(None, event, asked), responses), False
                yield _written(_Step(await predicting, None, asked), responses), True
        finally:
            predicting.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await predicting


def _written(step: _Step, responses: Responses) -> Sequence[Array]:
    responses.computed()
    outputs = tensors(RUNNING_COLUMNS, [step])
    responses.written()
    return outputs


def _pooled(step: _Step) -> tuple[Sequence[float], Sequence[str], Agreement]:
    """Probabilities, outcomes and agreement of either kind of step."""
    if step.prediction is not None:
        return step.prediction.probabilities, step.prediction.outcomes, step.prediction.agreement
    assert step.event is not None  # noqa: S101 - a step is one or the other
    assert step.event.running is not None  # noqa: S101 - only such steps are made
    running = step.event.running
    return running.pooled.probabilities, running.outcomes, running.pooled.agreement
