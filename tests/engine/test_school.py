# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from kernels.labels import LabelKind, label_changes
from server.engine.gathering import CHOICES
from server.engine.school import BATCH, ENOUGH, Awaiting, SignalSchool
from server.forecasting.deadline import Deadline, SystemClock
from server.forecasting.ensemble import EnsembleSpec, MemberSpec, Options, make_plan
from server.forecasting.forecast import Forecast
from server.forecasting.prediction import MemberAnswer, Prediction
from server.forecasting.question import Exclusive, Question
from server.learning.learning import Answered
from tests.engine.conftest import ensemble_of
from tests.fakes import Saying
from tests.storage.samples import record

DIRECTIONS = ("DOWN", "NEUTRAL", "UP")
HORIZON = 10


def signal(sees: tuple[float, ...], guesses: tuple[float, ...]) -> Prediction:
    members = (MemberAnswer("sees", Forecast(sees), 1.0), MemberAnswer("guesses", Forecast(guesses), 1.0))
    base = record("p").prediction
    return replace(base, ensemble="test", outcomes=DIRECTIONS, raw_probabilities=sees, members=members)


class Noting(SignalSchool):
    """Notes what it is taught."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.changes: list[float] = []

    def resolve(self, answered: Answered, change: float) -> None:
        self.changes.append(change)
        super().resolve(answered, change)


def walk(steps: int, seed: int = 1) -> np.ndarray:  # type: ignore[type-arg]
    return 20_000 + np.cumsum(np.random.default_rng(seed).integers(-3, 4, steps))


def test_outcomes_are_the_kernels_forward_mean_changes() -> None:
    mids = walk(200)
    school = Noting()
    awaiting = Awaiting(school)
    for step, mid2 in enumerate(mids.tolist()):
        awaiting.update(mid2)
        if step % 3 == 0:
            awaiting.signal(signal((0.2, 0.3, 0.5), (0.4, 0.3, 0.3)), mid2, HORIZON)
    wanted = label_changes(LabelKind.FORWARD_MEAN, mids.astype(np.int64), horizon=HORIZON)
    places = [step for step in range(0, 200, 3) if step + HORIZON < 200]
    assert school.changes == pytest.approx([wanted[step] for step in places], rel=1e-12)


async def test_who_sees_what_comes_gains_weight() -> None:
    mids = walk(1500, seed=2)
    changes = label_changes(LabelKind.FORWARD_MEAN, mids.astype(np.int64), horizon=HORIZON)
    school = SignalSchool(SystemClock())
    awaiting, chance = Awaiting(school), np.random.default_rng(3)
    for step, mid2 in enumerate(mids.tolist()):
        awaiting.update(mid2)
        if step % 5 == 0 and not np.isnan(changes[step]):
            up = changes[step] > 0
            sees = (0.1, 0.2, 0.7) if up else (0.7, 0.2, 0.1)
            guesses = tuple(chance.dirichlet(np.ones(3)).tolist())
            awaiting.signal(signal(sees, guesses), mid2, HORIZON)
    learned = school.memory.learning.outcomes
    assert learned == (len([s for s in range(0, 1500, 5) if s + HORIZON < 1500]) - ENOUGH) // BATCH * BATCH
    plan = make_plan(_spec(), Options(), CHOICES)
    ensemble = ensemble_of({"sees": Saying(Forecast(())), "guesses": Saying(Forecast(()))})
    question = Question("s/1", kind=Exclusive(DIRECTIONS), category="market")
    deadline = Deadline.after(1.0, SystemClock())
    advice = await school.advise(ensemble.forecasters, plan, question, deadline)
    assert advice is not None
    weights = advice.weights(np.array([[0.1, 0.2, 0.7], [0.3, 0.4, 0.3]]))
    assert weights[0] > 1.5 * weights[1]


def _spec() -> EnsembleSpec:
    return EnsembleSpec(
        "test", (MemberSpec("sees"), MemberSpec("guesses")), weighting="performance", horizon_updates=HORIZON
    )


def test_a_signal_that_nobody_answered_is_not_awaited() -> None:
    school = Noting()
    awaiting = Awaiting(school)
    awaiting.signal(replace(signal((1.0, 0.0, 0.0), (1.0, 0.0, 0.0)), raw_probabilities=()), 100, 1)
    awaiting.update(100)
    assert school.changes == []
