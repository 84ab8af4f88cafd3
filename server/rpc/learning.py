# SPDX-License-Identifier: Apache-2.0
"""``AdminService``: outcomes, and how well members did."""

import math

from consilience.v1 import admin_service_pb2 as pb
from consilience.v1 import question_pb2
from server.engine.learner import Learner
from server.engine.performance import Performances, PerformanceWish
from server.forecasting.deadline import Clock
from server.forecasting.question import Resolution
from server.learning.rolling import WINDOWS
from server.learning.standing import Standing
from server.rpc.call import Call
from server.rpc.rules import Rules
from server.rpc.times import duration

MAX_RESOLUTIONS = 10_000
MAX_ID = 256
MAX_NAME = 128
BILLION = 1e9


class LearningHandlers:
    """One coroutine for each method, free of any transport."""

    def __init__(self, learner: Learner, performances: Performances, clock: Clock) -> None:
        self._learner = learner
        self._performances = performances
        self._clock = clock

    async def record_outcome(self, request: pb.RecordOutcomeRequest, call: Call) -> pb.RecordOutcomeResponse:
        """Store what happened, score the forecasts that it judges, and learn from them."""
        rules = Rules()
        rules.count("resolutions", request.resolutions, MAX_RESOLUTIONS, least=1)
        resolutions = [
            self._resolution(each, rules, f"resolutions[{i}]") for i, each in enumerate(request.resolutions)
        ]
        rules.check()
        recorded = await self._learner.record(resolutions, call.caller)
        return pb.RecordOutcomeResponse(
            results=[
                pb.RecordOutcomeResult(
                    question_id=each.question_id,
                    version=each.version,
                    scored_forecasts=each.scored,
                    error=each.error,
                )
                for each in recorded
            ]
        )

    def _resolution(self, message: question_pb2.Resolution, rules: Rules, at: str) -> Resolution:
        which = message.WhichOneof("result")
        if which is None:
            rules.broken(at, "say what happened: outcome, fraction, value, annulled or retracted")
        for name in ("annulled", "retracted"):
            if which == name and not getattr(message, name):
                rules.broken(f"{at}.{name}", "must be true where it is given")
        if which == "value" and not math.isfinite(message.value):
            rules.broken(f"{at}.value", "must be a finite number")
        return Resolution(
            question_id=rules.text(f"{at}.question_id", message.question_id, MAX_ID, least=1, printable=True),
            known_time=rules.instant(f"{at}.known_time", message.known_time)
            if message.HasField("known_time")
            else self._clock.now(),
            outcome=rules.text(f"{at}.outcome", message.outcome, MAX_ID, least=1)
            if which == "outcome"
            else None,
            fraction=rules.share(f"{at}.fraction", message.fraction) if which == "fraction" else None,
            value=message.value if which == "value" else None,
            annulled=which == "annulled",
            retracted=which == "retracted",
            event_time=rules.instant(f"{at}.event_time", message.event_time)
            if message.HasField("event_time")
            else None,
            version=message.version,
        )

    async def list_performance(
        self, request: pb.ListPerformanceRequest, call: Call
    ) -> pb.ListPerformanceResponse:
        """How members did; the token is a position."""
        del call
        rules = Rules()
        for name in ("ensemble", "member", "category", "regime", "horizon"):
            rules.text(name, getattr(request, name), MAX_ID, printable=True)
        if request.window and request.window not in WINDOWS:
            rules.broken("window", f"use one of {', '.join(WINDOWS)}")
        size = rules.page_size(request.page_size, 10_000, 1_000)
        start = int(request.page_token) if request.page_token.isdecimal() else 0
        if request.page_token and not request.page_token.isdecimal():
            rules.broken("page_token", "use the token of the previous page as it was given")
        rules.check()
        wish = PerformanceWish(
            request.ensemble,
            request.member,
            request.category,
            request.horizon,
            request.regime,
            (request.window,) if request.window else tuple(WINDOWS),
        )
        rows = self._performances.rows(wish)
        following = str(start + size) if start + size < len(rows) else ""
        return pb.ListPerformanceResponse(
            performances=[_performance(row) for row in rows[start : start + size]],
            next_page_token=following,
            correlation=None if start else self._correlation(request.ensemble),
        )

    def _correlation(self, ensemble: str) -> pb.ErrorCorrelation | None:
        found = self._performances.correlation(ensemble)
        if found is None:
            return None
        members, values, effective = found
        return pb.ErrorCorrelation(
            members=members, values=values.ravel().tolist(), effective_members=effective
        )


def _performance(row: Standing) -> pb.Performance:
    return pb.Performance(
        member=row.member,
        category=row.category,
        regime=row.regime,
        horizon=row.horizon,
        window=row.window,
        count=round(row.answers),
        accuracy=row.accuracy,
        brier=row.brier,
        log_score=row.log_score,
        calibration_error=row.calibration_error or 0.0,
        bias=row.bias or 0.0,
        calibration_slope=math.nan if row.slope is None else row.slope,
        mean_latency=None if row.mean_latency_s is None else duration(row.mean_latency_s),
        mean_cost_nano_usd=None if row.mean_cost_usd is None else round(row.mean_cost_usd * BILLION),
        profit_factor=row.profit_factor,
        contribution=row.contribution,
        excess=row.excess,
    )
