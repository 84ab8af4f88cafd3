# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import pytest

from server.engine.answering import Answering
from server.engine.ensembles import Ensemble, Ensembles
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.forecasting.ensemble import EnsembleSpec, MemberSpec
from server.forecasting.ports import Forecaster, QuestionCatalogue
from tests.fakes import Catalogue, MemoryStore
from tests.patience import LoopClock

MakeEngine = Callable[..., PredictionEngine]


def ensemble_of(members: dict[str, Forecaster], name: str = "test", **choices: object) -> Ensemble:
    specs = choices.pop("specs", None) or tuple(MemberSpec(member) for member in members)
    spec = EnsembleSpec(name, specs, **choices)  # type: ignore[arg-type]
    return Ensemble(spec, members)


def engine_of(
    *ensembles: Ensemble,
    store: MemoryStore | None = None,
    catalogue: QuestionCatalogue | None = None,
    observers: tuple[object, ...] = (),
    reply_margin_s: float = 0.05,
    answering: Answering | None = None,
) -> PredictionEngine:
    return PredictionEngine(
        Ensembles(ensembles, ensembles[0].spec.name),
        catalogue or Catalogue(),
        Recorder(store or MemoryStore()),
        observers,  # type: ignore[arg-type]
        LoopClock(),
        EngineSettings("test", reply_margin_s),
        answering=answering,
    )


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
