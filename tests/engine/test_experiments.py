# SPDX-License-Identifier: Apache-2.0
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from server.engine.experiment_report import UNDECIDED, reports
from server.engine.experiment_settings import ExperimentSettings
from server.engine.experiments import Experiments
from server.engine.request import PredictionRequest
from server.forecasting.ensemble import Options
from server.forecasting.errors import ConflictError, InvalidRequestError, NotFoundError
from server.forecasting.experiment import Arm, Experiment, Observation, Standing, State, Unit
from server.forecasting.question import Question
from tests.engine.conftest import engine_of, ensemble_of
from tests.fakes import yes


@dataclass
class Decisions:
    """An experiment store in memory."""

    kept: dict[str, Standing] = field(default_factory=dict)
    seen: list[Observation] = field(default_factory=list)

    async def standings(self) -> dict[str, Standing]:
        return dict(self.kept)

    async def decide(
        self, name: str, standing: Standing, actor: str, fits: Callable[[Standing], bool]
    ) -> None:
        if not fits(self.kept.get(name, Standing())):
            raise ConflictError("changed by somebody else")
        self.kept[name] = standing

    async def counts(self, name: str) -> dict[str, int]:
        return dict(Counter(one.arm for one in self.seen))

    async def observations(self, name: str) -> list[Observation]:
        return self.seen


LINEAR = Arm("linear", 0.3, Options(pooling="linear"))
POOLS = Experiment("pools", "", Unit.QUESTION, (Arm("control", 0.5), LINEAR))


def ask(number: int = 0, caller: str = "", **options: object) -> PredictionRequest:
    question = Question(f"q-{number}", f"Question {number}?")
    return PredictionRequest(question, Options(**options), caller=caller)  # type: ignore[arg-type]


def test_the_same_unit_always_gets_the_same_arm_and_shares_come_out() -> None:
    drawn = [POOLS.drawn(f"q-{i}") for i in range(20_000)]
    assert drawn == [POOLS.drawn(f"q-{i}") for i in range(20_000)]
    counts = Counter(arm.name if arm else "none" for arm in drawn)
    for name, share in {"control": 0.5, "linear": 0.3, "none": 0.2}.items():
        assert counts[name] / 20_000 == pytest.approx(share, abs=0.015)


def test_experiments_draw_independently() -> None:
    other = Experiment("others", "", Unit.QUESTION, POOLS.arms)
    both = Counter((POOLS.drawn(f"q-{i}") == LINEAR, other.drawn(f"q-{i}") == LINEAR) for i in range(20_000))
    assert both[True, True] / 20_000 == pytest.approx(0.09, abs=0.01)


def test_by_caller_a_caller_keeps_an_arm_over_all_questions() -> None:
    experiments = Experiments([Experiment("callers", "", Unit.CALLER, POOLS.arms)], "test", Decisions())
    arms = {experiments.drawn(ask(i, caller="alice")).arm for i in range(50)}
    assert len(arms) == 1
    assert len({experiments.drawn(ask(0, caller=f"c{i}")).arm for i in range(50)}) == 3


async def test_predictions_say_which_arm_answered() -> None:
    ensemble = ensemble_of({"a": yes(0.9), "b": yes(0.5)})
    engine = engine_of(ensemble)
    engine.experiments = Experiments([POOLS], "test", Decisions())
    for i in range(30):
        prediction = await engine.predict(ask(i))
        arm = POOLS.drawn(f"q-{i}")
        assert (prediction.experiment, prediction.arm) == (("pools", arm.name) if arm else ("", ""))
        assert prediction.method.pooling == ("linear" if arm == LINEAR else "log_odds")


async def test_an_arm_may_be_another_ensemble() -> None:
    usual, other = ensemble_of({"a": yes(0.9)}), ensemble_of({"b": yes(0.2)}, "other")
    engine = engine_of(usual, other)
    arms = (Arm("control", 0.0001), Arm("new prompt", 0.9999, Options(ensemble="other")))
    engine.experiments = Experiments([Experiment("prompts", "", Unit.QUESTION, arms)], "test", Decisions())
    prediction = await engine.predict(ask())
    assert (prediction.ensemble, prediction.arm) == ("other", "new prompt")
    assert (await engine.predict(ask(ensemble="other"))).experiment == ""  # asked for by name: no experiment


def test_a_caller_who_says_how_takes_no_part() -> None:
    experiments = Experiments([POOLS], "test", Decisions())
    for wishes in ({"pooling": "median"}, {"members": ("a",)}, {"weights": {"a": 2.0}}):
        assert experiments.drawn(ask(1, **wishes)).experiment == ""


async def test_promotion_rollback_and_resumption() -> None:
    store = Decisions()
    experiments = Experiments([POOLS], "test", store)
    (before,) = experiments.views()
    promoted = await experiments.update("pools", before.etag, Standing(State.PROMOTED, "linear"), "alice")
    assert promoted.standing == store.kept["pools"] == Standing(State.PROMOTED, "linear")
    all_of_them = [experiments.drawn(ask(i)) for i in range(20)]
    assert {(one.options.pooling, one.experiment) for one in all_of_them} == {("linear", "")}
    with pytest.raises(ConflictError):
        await experiments.update("pools", before.etag, Standing(State.ROLLED_BACK), "bob")
    await experiments.update("pools", promoted.etag, Standing(State.ROLLED_BACK), "bob")
    assert {experiments.drawn(ask(i)).options.pooling for i in range(20)} == {""}
    await experiments.update("pools", "", Standing(State.RUNNING, "linear"), "bob")
    assert store.kept["pools"] == Standing()
    assert {experiments.drawn(ask(i)).arm for i in range(40)} == {"", "control", "linear"}


async def test_a_decision_on_another_server_is_not_overwritten_unseen() -> None:
    store = Decisions()
    one, other = [Experiments([POOLS], "test", store) for _ in range(2)]
    (seen,) = one.views()
    await other.update("pools", "", Standing(State.PROMOTED, "linear"), "alice")
    with pytest.raises(ConflictError):
        await one.update("pools", seen.etag, Standing(State.ROLLED_BACK), "bob")
    (again,) = one.views()
    assert again.standing == store.kept["pools"] == Standing(State.PROMOTED, "linear")
    await one.update("pools", again.etag, Standing(State.ROLLED_BACK), "bob")
    assert store.kept["pools"] == Standing(State.ROLLED_BACK)


async def test_an_etag_from_another_server_holds_here() -> None:
    store = Decisions()
    one, other = [Experiments([POOLS], "test", store) for _ in range(2)]
    promoted = await other.update("pools", "", Standing(State.PROMOTED, "linear"), "alice")
    await one.update("pools", promoted.etag, Standing(State.ROLLED_BACK), "bob")
    assert store.kept["pools"] == Standing(State.ROLLED_BACK)


async def test_what_was_decided_is_known_after_a_restart() -> None:
    experiments = Experiments([POOLS], "test", Decisions({"pools": Standing(State.PROMOTED, "linear")}))
    await experiments.start()
    assert experiments.drawn(ask()).options.pooling == "linear"
    await experiments.close()


async def test_unknown_names_are_refused() -> None:
    experiments = Experiments([POOLS], "test", Decisions())
    with pytest.raises(NotFoundError, match="known: pools"):
        await experiments.report("poolings")
    with pytest.raises(InvalidRequestError, match="use control, linear"):
        await experiments.update("pools", "", Standing(State.PROMOTED, "median"), "")


def observed(random: np.random.Generator, count: int, better_by: float) -> list[Observation]:
    found = []
    for i in range(count):
        arm = POOLS.drawn(f"q-{i}")
        if arm is not None:
            brier = float(np.clip(random.normal(0.3, 0.1) - better_by * (arm == LINEAR), 0, 1))
            found += [Observation(arm.name, f"q-{i}", "alice", brier)] * int(random.integers(1, 4))
    return found


def test_a_report_counts_each_question_once() -> None:
    seen = observed(np.random.default_rng(1), 3_000, 0.0)
    counts = Counter(one.arm for one in seen)
    control, linear = reports(POOLS, counts, seen)
    assert control.resolved == len({one.question_id for one in seen if one.arm == "control"})
    assert (control.predictions, control.finding, control.difference) == (counts["control"], "", None)
    assert linear.finding == UNDECIDED
    assert linear.low is not None
    assert linear.high is not None
    assert linear.low < 0 < linear.high


def test_a_better_arm_is_found() -> None:
    seen = observed(np.random.default_rng(1), 3_000, 0.1)
    _, linear = reports(POOLS, {}, seen)
    assert linear.finding == "better"
    assert linear.difference == pytest.approx(-0.1, abs=0.03)


def test_nothing_resolved_is_undecided() -> None:
    control, linear = reports(POOLS, {"control": 3}, [])
    assert (control.predictions, control.brier) == (3, None)
    assert (linear.finding, linear.difference) == (UNDECIDED, None)


def test_a_caller_counts_with_its_first_resolved_question() -> None:
    seen = [Observation("control", "q1", "alice", 0.2), Observation("control", "q2", "alice", 0.9)]
    callers = Experiment("callers", "", Unit.CALLER, POOLS.arms)
    assert reports(callers, {}, seen)[0].brier == pytest.approx(0.2)


def test_settings_want_a_control_and_shares_that_fit() -> None:
    made = ExperimentSettings.model_validate(
        {"arms": {"b": {"share": 0.5, "pooling": "linear"}, "control": {"share": 0.5}}}
    ).experiment("x")
    assert [arm.name for arm in made.arms] == ["control", "b"]
    with pytest.raises(ValueError, match='one must be named "control"'):
        ExperimentSettings.model_validate({"arms": {"a": {"share": 0.5}, "b": {"share": 0.5}}})
    with pytest.raises(ValueError, match=r"sum to 1\.1"):
        ExperimentSettings.model_validate({"arms": {"control": {"share": 0.6}, "b": {"share": 0.5}}})
