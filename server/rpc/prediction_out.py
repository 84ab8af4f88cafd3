# SPDX-License-Identifier: Apache-2.0
"""Answers for the wire."""

from consilience.v1 import forecast_pb2, money_pb2, prediction_pb2
from server.forecasting.forecast import Absent, AbsentReason, Cost, CostSource, Forecast, TokenUsage
from server.forecasting.prediction import (
    Action,
    Agreement,
    CacheHit,
    CacheKind,
    Decision,
    Interval,
    LabelSet,
    MemberAnswer,
    Method,
    NumericResult,
    Prediction,
)
from server.rpc.times import duration, timestamp

_REASONS = {reason: getattr(forecast_pb2, f"ABSENT_REASON_{reason.name}") for reason in AbsentReason}
_COST_SOURCES = {source: getattr(money_pb2, f"COST_SOURCE_{source.name}") for source in CostSource}
_CACHE_KINDS = {kind: getattr(prediction_pb2, f"CACHE_HIT_KIND_{kind.name}") for kind in CacheKind}
_ACTIONS = {action: getattr(prediction_pb2, f"DECISION_ACTION_{action.name}") for action in Action}


def prediction_message(prediction: Prediction) -> prediction_pb2.Prediction:
    """The answer as a message."""
    return prediction_pb2.Prediction(
        id=prediction.id,
        request_id=prediction.request_id,
        question_id=prediction.question_id,
        ensemble=prediction.ensemble,
        outcomes=prediction.outcomes,
        probabilities=prediction.probabilities,
        raw_probabilities=prediction.raw_probabilities,
        outcome=prediction.outcome,
        confidence=prediction.confidence,
        meta_confidence=prediction.meta_confidence,
        agreement=agreement_message(prediction.agreement),
        interval=interval_message(prediction.interval),
        decision=decision_message(prediction.decision),
        members=[member_message(member) for member in prediction.members],
        cost=cost_message(prediction.cost),
        create_time=timestamp(prediction.create_time),
        elapsed=duration(prediction.elapsed_s),
        durable=prediction.durable,
        cached=prediction.cached,
        warnings=prediction.warnings,
        explanation=prediction.explanation,
        method=method_message(prediction.method),
        numeric=_numeric(prediction.numeric),
        votes=prediction.votes,
        tags=prediction.tags,
        experiment=prediction.experiment,
        arm=prediction.arm,
        label_set=_label_set(prediction.label_set),
        doubt=prediction.doubt,
        cache_hit=_cache_hit(prediction.cache_hit),
    )


def _cache_hit(hit: CacheHit | None) -> prediction_pb2.CacheHit | None:
    if hit is None:
        return None
    return prediction_pb2.CacheHit(
        kind=_CACHE_KINDS[hit.kind],
        age=duration(hit.age_s),
        prediction_id=hit.prediction_id,
        question_id=hit.question_id,
        similarity=hit.similarity,
        saved_nano_usd=hit.saved_nano_usd,
    )


def member_message(member: MemberAnswer) -> forecast_pb2.MemberAnswer:
    """One member's part as a message."""
    answer = member.answer
    return forecast_pb2.MemberAnswer(
        member=member.member,
        forecast=_forecast(answer) if isinstance(answer, Forecast) else None,
        absent=_absent(answer) if isinstance(answer, Absent) else None,
        weight=member.weight,
        contribution=member.contribution,
        latency=None if member.latency_s is None else duration(member.latency_s),
        cost=cost_message(answer.cost),
        attempts=answer.attempts,
    )


def _forecast(forecast: Forecast) -> forecast_pb2.Forecast:
    return forecast_pb2.Forecast(
        probabilities=forecast.probabilities,
        self_confidence=forecast.self_confidence,
        rationale=forecast.rationale,
        model=forecast.model,
        text=forecast.text,
        usage=_usage(forecast.usage),
        cached=forecast.cached,
        recorded=forecast.recorded,
        expected_return_bps=forecast.expected_return_bps,
        fallback=forecast.fallback,
    )


def _absent(absent: Absent) -> forecast_pb2.Absent:
    return forecast_pb2.Absent(reason=_REASONS[absent.reason], detail=absent.detail)


def _usage(usage: TokenUsage | None) -> forecast_pb2.TokenUsage | None:
    if usage is None:
        return None
    return forecast_pb2.TokenUsage(
        input_uncached=usage.input_uncached,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        output=usage.output,
        reasoning=usage.reasoning,
        estimated=usage.estimated,
    )


def cost_message(cost: Cost | None) -> money_pb2.Cost | None:
    """The cost as a message; None where it means nothing."""
    return None if cost is None else money_pb2.Cost(nano_usd=cost.nano_usd, source=_COST_SOURCES[cost.source])


def agreement_message(agreement: Agreement) -> prediction_pb2.Agreement:
    """How much the members agree, as a message."""
    return prediction_pb2.Agreement(
        vote_share=agreement.vote_share,
        dispersion=agreement.dispersion,
        effective_members=agreement.effective_members,
        entropy=agreement.entropy,
        answered=agreement.answered,
        asked=agreement.asked,
        independent_members=agreement.independent_members,
    )


def interval_message(interval: Interval | None) -> prediction_pb2.Interval | None:
    """The range as a message; None where there is none."""
    if interval is None:
        return None
    return prediction_pb2.Interval(
        low=interval.low, high=interval.high, level=interval.level, method=interval.method
    )


def decision_message(decision: Decision) -> prediction_pb2.Decision:
    """The verdict as a message."""
    return prediction_pb2.Decision(
        action=_ACTIONS[decision.action], size_multiplier=decision.size_multiplier, reason=decision.reason
    )


def method_message(method: Method) -> prediction_pb2.Method:
    """The named choices as a message."""
    return prediction_pb2.Method(
        pooling=method.pooling,
        weighting=method.weighting,
        calibration=method.calibration,
        execution=method.execution,
        selection=method.selection,
        weights_version=method.weights_version,
        calibrator_version=method.calibrator_version,
        code_version=method.code_version,
        prompt_hash=method.prompt_hash,
        parameters=method.parameters,
        curve=method.curve,
        curve_parameters=method.curve_parameters,
    )


def _numeric(numeric: NumericResult | None) -> prediction_pb2.NumericForecast | None:
    if numeric is None:
        return None
    return prediction_pb2.NumericForecast(
        grid=numeric.grid,
        cumulative=numeric.cumulative,
        median=numeric.median,
        unit=numeric.unit,
        interval=interval_message(numeric.interval),
    )


def _label_set(found: LabelSet | None) -> prediction_pb2.LabelSet | None:
    if found is None:
        return None
    return prediction_pb2.LabelSet(outcomes=found.outcomes, level=found.level, method=found.method)
