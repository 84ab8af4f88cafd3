# SPDX-License-Identifier: Apache-2.0
"""A network as a member of an ensemble: it answers which way a market goes."""

import numpy as np
from numpy.typing import NDArray

from models.encoding import Encoding
from models.heads import DIRECTIONS
from models.manifest import Manifest
from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.forecasting.ports import Identity
from server.forecasting.query import MarketObservation, Query
from server.forecasting.question import Exclusive, Question
from server.inference.backend import Inputs, Outputs
from server.inference.errors import (
    InferenceError,
    InvalidInputError,
    ModelNotReadyError,
    QueueFullError,
    QueueTimeoutError,
    UnknownModelError,
)
from server.inference.repository import ModelRepository

_REASONS: dict[type[InferenceError], AbsentReason] = {
    UnknownModelError: AbsentReason.CALLER_MODEL_UNKNOWN,
    ModelNotReadyError: AbsentReason.DISABLED,
    InvalidInputError: AbsentReason.CALLER_INVALID_REQUEST,
    QueueFullError: AbsentReason.PROVIDER_OVERLOADED,
    QueueTimeoutError: AbsentReason.DEADLINE_EXCEEDED,
}


class NetworkForecaster:
    """Answers market observations with one network of the repository, in whatever version is the default."""

    def __init__(
        self, repository: ModelRepository, *, artifact: str, version: int | None, horizon: int
    ) -> None:
        """``horizon``: used where the observation names none.

        Raises:
            InferenceError: the network is not loaded.
            ValueError: it has no head for that horizon.
        """
        manifest = repository.get(artifact, version).manifest
        if horizon not in manifest.horizons:
            raise ValueError(f"horizon: {artifact} has {_listed(manifest)}, not {horizon}")
        self._repository = repository
        self._artifact = artifact
        self._version = version
        self._horizon = horizon

    @property
    def identity(self) -> Identity:
        """Kind network, the backend as provider, the artifact as model."""
        return Identity(kind="network", provider=self._repository.backend.name, model=self._artifact)

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """Probabilities of the directions; absent where the question is not about a market's direction."""
        observation = query.observation
        order = _directions_of(query.question)
        if observation is None or order is None:
            return Absent(
                AbsentReason.NOT_APPLICABLE, f"answers {', '.join(DIRECTIONS)} of a market observation only"
            )
        try:
            model = self._repository.get(self._artifact, self._version)
            manifest = model.manifest
            horizon = observation.horizon_updates or self._horizon
            inputs = _inputs(observation, manifest)
            if horizon not in manifest.horizons:
                return Absent(AbsentReason.NOT_APPLICABLE, f"has {_listed(manifest)}, not {horizon}")
            if inputs is None:
                return Absent(AbsentReason.NOT_APPLICABLE, "the market's history is still too short")
            outputs = await model.infer(inputs, deadline_s=deadline.remaining_s())
        except InferenceError as error:
            return Absent(_REASONS.get(type(error), AbsentReason.INTERNAL), str(error))
        return _forecast(outputs, manifest, horizon, order)

    async def close(self) -> None:
        """Nothing of its own: the repository is closed by its owner."""


def _inputs(observation: MarketObservation, manifest: Manifest) -> Inputs | None:
    """The observation in the network's encodings, a batch of one; None while its history is too short."""
    found = tuple(_input(observation, spec.encoding) for spec in manifest.inputs)
    return None if any(item is None for item in found) else tuple(x[None] for x in found if x is not None)


def _input(observation: MarketObservation, encoding: str) -> NDArray[np.float32] | None:
    if encoding == Encoding.BOOK_WINDOW:
        return observation.window if observation.warm else None
    if encoding == Encoding.BOOK_HISTORY:
        return observation.book_history
    if not observation.features_warm:
        return None
    return observation.feature_rows if encoding == Encoding.FEATURE_ROWS else observation.feature_rows[-1]


def _directions_of(question: Question) -> list[int] | None:
    """For each outcome of the question its place among the directions; None where they are not those."""
    outcomes = question.kind.outcomes if isinstance(question.kind, Exclusive) else ()
    if len(outcomes) != len(DIRECTIONS) or not set(outcomes) <= set(DIRECTIONS):
        return None
    return [DIRECTIONS.index(outcome) for outcome in outcomes]


def _forecast(outputs: Outputs, manifest: Manifest, horizon: int, order: list[int]) -> Forecast:
    h = manifest.horizons.index(horizon)
    logits, confidence, expected = (output[0, h] for output in outputs)
    powers = np.exp(logits.astype(np.float64) - logits.max())
    probabilities = powers / powers.sum()
    called = DIRECTIONS[int(np.argmax(logits + np.asarray(manifest.decision.call_offsets[h])))]
    return Forecast(
        probabilities=tuple(float(probabilities[place]) for place in order),
        self_confidence=float(confidence),
        rationale=f"calls {called} over {horizon} updates, expects {float(expected):+.2f} bp",
        model=f"{manifest.name}/{manifest.version}",
        expected_return_bps=float(expected),
    )


def _listed(manifest: Manifest) -> str:
    return f"horizons {', '.join(map(str, manifest.horizons))}"
