# SPDX-License-Identifier: Apache-2.0
"""An ensemble that answers questions, as a model."""

from collections.abc import Mapping, Sequence

from server.engine.batch import predict_all
from server.engine.ensembles import Ensemble
from server.engine.request import PredictionRequest
from server.forecasting.prediction import Prediction
from server.inference.servable import Array, Wishes
from server.rpc.inference.answers import QUESTION_COLUMNS, tensors
from server.rpc.inference.ensemble_base import MAX_BATCH, CountedEnsemble, Engines, form_of
from server.rpc.inference.questions import QUESTION_INPUTS, questions_from, requests_from


class QuestionEnsemble(CountedEnsemble):
    """Answers up to 64 questions of a request, each recorded as ``Predict`` records it."""

    def __init__(self, ensemble: Ensemble, engines: Engines) -> None:
        super().__init__(form_of(ensemble, QUESTION_INPUTS, QUESTION_COLUMNS, MAX_BATCH))
        self._engine = engines.engine
        self._name = ensemble.spec.name

    async def answer(self, inputs: Mapping[str, Array], wishes: Wishes) -> Sequence[Array]:
        """See ``Servable.answer``; the first question that fails fails the request."""
        requests = requests_from(questions_from(inputs), self._name, wishes)
        results = await self.counted(len(requests), self._all(requests))
        return tensors(QUESTION_COLUMNS, results)

    async def _all(self, requests: Sequence[PredictionRequest]) -> list[Prediction]:
        results = await predict_all(self._engine, requests)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return [result for result in results if isinstance(result, Prediction)]
