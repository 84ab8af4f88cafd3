# SPDX-License-Identifier: Apache-2.0
"""Predictions of every kind by a real engine, for replay; from a seed, so a failure can be had again.

python -m tests.engine.replays FILE: replays the documents of a file, one a line, and prints their verdicts.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.calibrators import CalibrationMethod
from server.engine.ensembles import Ensemble
from server.engine.nested import EnsembleForecaster
from server.engine.replay import replay
from server.engine.request import PredictionRequest
from server.forecasting.ensemble import MemberSpec, Plan
from server.forecasting.errors import NoAnswerError
from server.forecasting.forecast import Absent, AbsentReason, Forecast
from server.forecasting.pooling import _RANGES, PARAMETERS, POOLINGS
from server.forecasting.ports import Forecaster
from server.forecasting.prediction import PredictionRecord
from server.forecasting.question import (
    Binary,
    Exclusive,
    FreeText,
    Normalization,
    Numeric,
    NumericScale,
    Question,
    QuestionKind,
)
from server.learning.calibration import Curve
from server.storage.documents import decode
from tests.engine.conftest import engine_of, ensemble_of
from tests.fakes import Hanging, MemoryStore, Saying

Floats = NDArray[np.float64]

CURVES: tuple[Callable[[np.random.Generator], Curve], ...] = (
    lambda random: Curve(CalibrationMethod.NONE),
    lambda random: Curve(CalibrationMethod.PLATT, tuple(random.uniform(0.3, 2.0, 2).tolist())),
    lambda random: Curve(
        CalibrationMethod.ISOTONIC, (0.1, 0.4, 0.8, *np.sort(random.uniform(0, 1, 3)).tolist())
    ),
    lambda random: Curve(CalibrationMethod.BETA, tuple(random.uniform(0.3, 2.0, 3).tolist())),
    lambda random: Curve(CalibrationMethod.TEMPERATURE, (float(random.uniform(0.4, 3.0)),)),
)
WORDS = ("Paris", " paris. ", "Answer: Rome", "1,200 USD", "1.2k", "yes", '{"b": 1, "a": 2}', "no idea")


@dataclass(frozen=True, slots=True)
class Learned:
    """Advice as learning gives it: weights that depend on the answers, and a curve."""

    random_weights: Floats
    learned_curve: Curve
    coverage: float
    version: str = "seeded"

    def weights(self, probabilities: Floats) -> Floats:
        return self.random_weights * (1.0 + np.nan_to_num(probabilities[:, 0]))

    def curve(self, probabilities: Floats) -> Curve:
        return self.learned_curve

    def independent(self, weights: Floats) -> float | None:
        return 1.0 / float((weights**2).sum() ** 0.5) if self.coverage else None


@dataclass(frozen=True, slots=True)
class Adviser:
    random: np.random.Generator

    async def advise(self, forecasters: object, plan: Plan, question: Question, deadline: object) -> Learned:
        curve = CURVES[self.random.integers(len(CURVES))](self.random)
        weights = self.random.uniform(0.0, 3.0, len(plan.members))
        return Learned(weights, curve, float(self.random.choice([0.0, self.random.uniform(0.1, 1.0)])))


async def some_records(count: int, seed: int) -> list[PredictionRecord]:
    """So many predictions of all poolings and kinds; some nested, advised, partial or stopped early."""
    random = np.random.default_rng(seed)
    made: list[PredictionRecord] = []
    while len(made) < count:
        store = MemoryStore()
        ensemble = _ensemble(random, kind := _kind(random), depth=0)
        question = Question(f"q-{len(made)}", "What will happen?", kind)
        try:
            await engine_of(ensemble, store=store).predict(PredictionRequest(question))
        except NoAnswerError:
            continue
        made += store.records.values()
    return made


def _kind(random: np.random.Generator) -> QuestionKind:
    which = random.integers(4)
    if which == 0:
        return Binary()
    if which == 1:
        return Exclusive(tuple(f"outcome {i}" for i in range(random.integers(2, 7))))
    if which == 2:
        grid = tuple(np.cumsum(random.uniform(0.5, 1e4, random.integers(2, 9))).tolist())
        return Numeric(grid, "USD", NumericScale.LOG if random.random() < 0.5 else NumericScale.LINEAR)
    texts = list(Normalization)
    return FreeText(texts[random.integers(len(texts))])


def _ensemble(random: np.random.Generator, kind: QuestionKind, depth: int) -> Ensemble:
    size = int(random.integers(1, 8))
    pooling = POOLINGS[random.integers(len(POOLINGS))]
    members: dict[str, Forecaster] = {f"m{i}": _member(random, kind, depth) for i in range(size)}
    specs = tuple(
        MemberSpec(
            name,
            weight=float(random.choice([0.0, 1.0, random.uniform(0, 5)])),
            enabled=i == 0 or bool(random.random() < 0.9),
            min_confidence=float(random.choice([0.0, 0.0, 0.3])),
        )
        for i, name in enumerate(members)
    )
    parameters = {name: float(random.uniform(*_range(name))) for name in PARAMETERS[pooling]}
    choices: dict[str, object] = {
        "pooling": pooling,
        "parameters": parameters if random.random() < 0.6 else {},
        "execution": str(random.choice(["parallel", "sequential", "cascade"])),
        "min_agreement": float(random.uniform(0.0, 0.5)),
        "high_agreement": float(random.uniform(0.5, 1.0)),
        "min_responses": 1,
        "deadline_s": 0.2,
        "member_timeout_s": 0.06,
    }
    if advised := random.random() < 0.5:
        choices |= {"weighting": "adaptive", "calibration": "platt"}
    made = ensemble_of(members, f"ensemble-{depth}", specs=specs, **choices)
    if advised:
        made.adviser = Adviser(random)
    return made


def _range(name: str) -> tuple[float, float]:
    low, high = _RANGES[name]
    return max(low, 0.05), min(high, 3.0)


def _member(random: np.random.Generator, kind: QuestionKind, depth: int) -> Forecaster:
    luck = random.random()
    if luck < 0.12:
        return Saying(Absent(AbsentReason.PROVIDER_TIMEOUT, "no answer", attempts=1))
    if luck < 0.125:
        return Hanging()
    if luck < 0.22 and depth < 2:
        inner = _ensemble(random, kind, depth + 1)
        return EnsembleForecaster(inner.spec.name, lambda _: inner)
    return Saying(_forecast(random, kind))


def _forecast(random: np.random.Generator, kind: QuestionKind) -> Forecast:
    own = float(random.uniform(0.2, 1.0)) if random.random() < 0.7 else None
    if isinstance(kind, FreeText):
        return Forecast((), own, text=WORDS[random.integers(len(WORDS))])
    if isinstance(kind, Numeric):
        return Forecast(tuple(np.sort(random.uniform(0, 1, len(kind.grid))).tolist()), own)
    said = random.dirichlet(np.full(len(kind.outcomes), 0.8))
    if random.random() < 0.1:  # the ends of the range, and ties
        said = np.eye(len(said))[0] if random.random() < 0.5 else np.full(len(said), 1 / len(said))
    return Forecast(tuple((said / said.sum()).tolist()), own)


def main(path: Path) -> None:
    """Print the verdict of each document of a file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        again = replay(decode(line))
        sys.stdout.write(f"{again.verdict} {again.same_build} {'; '.join(again.differences)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
