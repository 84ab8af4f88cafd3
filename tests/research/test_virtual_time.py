# SPDX-License-Identifier: Apache-2.0
import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.engine.ensembles import Ensemble, Ensembles
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Durability, EnsembleSpec, MemberSpec
from server.forecasting.forecast import AbsentReason, Forecast
from server.forecasting.ports import Identity
from server.forecasting.question import Question
from server.research.grid.nowhere import NoCatalogue, Nowhere
from server.research.virtual_time import VirtualClock, VirtualTimeError, run_virtually

BEGIN = datetime(2020, 2, 29, tzinfo=UTC)


def test_years_pass_at_once_and_timers_still_fire_in_order():
    async def main(clock: VirtualClock) -> list[str]:
        order = []

        async def note(name, seconds):
            await asyncio.sleep(seconds)
            order.append(name)

        await clock.until(BEGIN + timedelta(days=2000))
        async with asyncio.TaskGroup() as group:
            for name, seconds in (("slow", 30.0), ("quick", 0.001), ("middle", 29.999)):
                group.create_task(note(name, seconds))
        assert clock.now() - BEGIN >= timedelta(days=2000, seconds=30)
        return order

    assert run_virtually(main, BEGIN) == ["quick", "middle", "slow"]


@settings(max_examples=25)
@given(st.floats(0.0, 2e8), st.floats(0.0, 1e4))
def test_any_wait_ends_when_it_should(before_s, wait_s):
    async def main(clock: VirtualClock) -> float:
        await asyncio.sleep(before_s)
        begun_s = clock.monotonic()
        await asyncio.sleep(wait_s)
        return clock.monotonic() - begun_s

    assert run_virtually(main) == pytest.approx(wait_s, abs=2e-6)


def test_a_timeout_comes_before_what_takes_longer():
    async def main(clock: VirtualClock) -> float:
        with pytest.raises(TimeoutError):
            async with Deadline.after(2.0, clock).timeout():
                await asyncio.sleep(3.0)
        return clock.monotonic()

    assert run_virtually(main) == pytest.approx(2.0, abs=2e-6)


def test_waiting_for_a_thread_is_refused_rather_than_waited_for():
    async def main(clock: VirtualClock) -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(VirtualTimeError, match="no timer"):
        run_virtually(main)


class Slow:
    """A forecaster that takes its time."""

    def __init__(self, seconds):
        self.identity = Identity("test")
        self._seconds = seconds

    async def forecast(self, query, deadline):
        await asyncio.sleep(self._seconds)
        return Forecast((0.7, 0.3))

    async def close(self):
        pass


def test_the_engine_keeps_its_deadline_in_virtual_time():
    async def main(clock: VirtualClock):
        members = {"quick": Slow(1.0), "slow": Slow(500.0)}
        spec = EnsembleSpec(
            "e", tuple(MemberSpec(name) for name in members), deadline_s=60.0, durability=Durability.NONE
        )
        engine = PredictionEngine(
            Ensembles([Ensemble(spec, members)], "e"),
            NoCatalogue(),
            Recorder(Nowhere()),
            (),
            clock,
            EngineSettings("test"),
        )
        return await engine.predict(PredictionRequest(Question("q", "Will it?")))

    prediction = run_virtually(main, BEGIN)
    quick, slow = prediction.members
    assert quick.latency_s == pytest.approx(1.0, abs=1e-5)
    assert slow.absent is not None
    assert slow.absent.reason in {AbsentReason.DEADLINE_EXCEEDED, AbsentReason.PROVIDER_TIMEOUT}
    assert 25.0 < prediction.elapsed_s < 60.0
    assert prediction.create_time == BEGIN
