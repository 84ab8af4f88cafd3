# SPDX-License-Identifier: Apache-2.0
"""The spans and events of one finished prediction, with the times at which things really happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from server.forecasting.forecast import NOT_ASKED, Answer, Forecast, TokenUsage
from server.forecasting.ports import Identity
from server.forecasting.prediction import Action, FailedPrediction, MemberAnswer, Prediction, Trace
from server.forecasting.transcript import Attempted

Attributes = dict[str, str | bool | int | float]


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks, in seconds: Unix time and the process's monotonic time."""

    unix_s: float
    monotonic_s: float

    def unix_of(self, monotonic_s: float) -> float:
        """Unix time of another instant."""
        return self.unix_s - (self.monotonic_s - monotonic_s)


class SpanWriter:
    """Writes spans. ``content``: also what was answered and why, which may quote a question."""

    def __init__(self, tracer: Tracer, who: Callable[[str, str], Identity], *, content: bool) -> None:
        self._tracer = tracer
        self._who = who
        self._content = content

    def write(self, what: Prediction | FailedPrediction, at: Moment) -> None:
        """All spans of a prediction that was answered, or failed, at this moment."""
        if isinstance(what, Prediction):
            self._predicted(what, at)
        else:
            self._failed(what, at)

    def _predicted(self, prediction: Prediction, at: Moment) -> None:
        begun_s = prediction.create_time.timestamp()
        voted_s = begun_s + prediction.elapsed_s
        span = self._begin(prediction, begun_s, _prediction(prediction))
        # The members of a cached answer have left their spans with the original.
        if not prediction.cached:
            self._members(span, prediction, begun_s, voted_s, at)
        span.add_event("consilience.vote.complete", _vote(prediction), _ns(voted_s))
        reached = prediction.decision.action is not Action.ABSTAIN
        name = "consilience.consensus.reached" if reached else "consilience.consensus.failed"
        decided: Attributes = {"consilience.decision.action": prediction.decision.action.value}
        if self._content:
            decided["consilience.outcome"] = prediction.outcome
            decided["consilience.decision.reason"] = prediction.decision.reason
            decided["consilience.explanation"] = prediction.explanation
        span.add_event(name, decided, _ns(voted_s))
        span.end(_ns(max(at.unix_s, voted_s)))

    def _failed(self, failure: FailedPrediction, at: Moment) -> None:
        begun_s = at.unix_s - failure.elapsed_s
        span = self._begin(failure, begun_s, {})
        self._members(span, failure, begun_s, at.unix_s, at)
        if failure.members:
            reason = {"error.type": failure.reason}
            span.add_event("consilience.consensus.failed", reason, _ns(at.unix_s))
        self._exception(span, failure.reason, failure.detail, at.unix_s)
        span.end(_ns(at.unix_s))

    def _begin(self, what: Prediction | FailedPrediction, begun_s: float, attributes: Attributes) -> Span:
        name = what.ensemble
        own = {"gen_ai.workflow.name": name, "consilience.ensemble": name, **attributes}
        return self._tracer.start_span(
            f"predict {name}",
            _caller(what.trace),
            SpanKind.INTERNAL if what.trace is None else SpanKind.SERVER,
            attributes=own,
            start_time=_ns(begun_s),
        )

    def _members(
        self,
        parent: Span,
        what: Prediction | FailedPrediction,
        begun_s: float,
        ended_s: float,
        at: Moment,
    ) -> None:
        if not parent.is_recording():
            return
        attempts = _by_member(what.attempts)
        for member in what.members:
            if member.absent is not None and member.absent.reason in NOT_ASKED:
                left_out = {
                    "consilience.member": member.member,
                    "consilience.reason": member.absent.reason.value,
                }
                parent.add_event("consilience.member.not_asked", left_out, _ns(ended_s))
            else:
                span = self._member(parent, what.ensemble, member, _times(member, begun_s, ended_s, at))
                self._attempts(span, attempts.pop(member.member, []), begun_s)
        # Those of members of members, whose own spans nobody writes.
        for inner in attempts.values():
            self._attempts(parent, inner, begun_s)

    def _member(self, parent: Span, ensemble: str, member: MemberAnswer, times: tuple[float, float]) -> Span:
        who = self._who(ensemble, member.member)
        chats = who.kind == "chat"
        span = self._tracer.start_span(
            f"chat {who.model}" if chats else f"member {member.member}",
            trace.set_span_in_context(parent, Context()),
            SpanKind.CLIENT if chats else SpanKind.INTERNAL,
            attributes={**_member(member), **_model(who, member.answer)},
            start_time=_ns(times[0]),
        )
        if member.absent is not None:
            self._exception(span, member.absent.reason.value, member.absent.detail, times[1])
        elif self._content and isinstance(member.answer, Forecast):
            span.set_attribute("consilience.answer", member.answer.text)
            span.set_attribute("consilience.rationale", member.answer.rationale)
        span.end(_ns(times[1]))
        return span

    def _attempts(self, parent: Span, attempts: Sequence[Attempted], begun_s: float) -> None:
        for number, attempt in enumerate(attempts, 1):
            start_s = begun_s + attempt.after_s
            span = self._tracer.start_span(
                f"attempt {attempt.model}",
                trace.set_span_in_context(parent, Context()),
                SpanKind.CLIENT,
                attributes=_attempt(attempt, number),
                start_time=_ns(start_s),
            )
            if attempt.reason:
                self._exception(span, attempt.reason, attempt.detail, start_s + attempt.latency_s)
            span.end(_ns(start_s + attempt.latency_s))

    def _exception(self, span: Span, reason: str, detail: str, at_s: float) -> None:
        told: Attributes = {"exception.type": reason}
        if self._content:
            told["exception.message"] = detail
        span.add_event("exception", told, _ns(at_s))
        span.set_attribute("error.type", reason)
        span.set_status(Status(StatusCode.ERROR))


def _caller(caller: Trace | None) -> Context:
    """The context of the caller's span; without one an empty one, so that the prediction is a root."""
    if caller is None:
        return Context()
    carried = {"traceparent": caller.parent, "tracestate": caller.state}
    return TraceContextTextMapPropagator().extract(carried, Context())


def _by_member(attempts: Sequence[Attempted]) -> dict[str, list[Attempted]]:
    """Each member's attempts in the order in which they were made."""
    found: dict[str, list[Attempted]] = {}
    for attempt in sorted(attempts, key=lambda one: one.after_s):
        found.setdefault(attempt.member, []).append(attempt)
    return found


def _attempt(attempt: Attempted, number: int) -> Attributes:
    attributes: Attributes = {
        "consilience.member": attempt.member,
        "consilience.attempt": number,
        "consilience.provider": attempt.provider,
        "gen_ai.request.model": attempt.model,
    }
    if attempt.status is not None:
        attributes["http.response.status_code"] = attempt.status
    if attempt.answered_by:
        attributes["gen_ai.response.model"] = attempt.answered_by
    if attempt.response_id:
        attributes["gen_ai.response.id"] = attempt.response_id
    if attempt.cost is not None:
        attributes["consilience.cost_usd"] = attempt.cost.nano_usd / 1e9
        attributes["consilience.cost_source"] = attempt.cost.source.value
    return attributes | _usage(attempt.usage)


def _ns(unix_s: float) -> int:
    return round(unix_s * 1e9)


def _times(member: MemberAnswer, begun_s: float, ended_s: float, at: Moment) -> tuple[float, float]:
    """When a member began and ended; one that never came back is as long as the prediction."""
    if member.begun_s is None:
        late = ended_s if member.latency_s is None and member.absent is not None else begun_s
        return begun_s, late if member.latency_s is None else begun_s + member.latency_s
    own_s = at.unix_of(member.begun_s)
    return own_s, own_s + (member.latency_s or 0.0)


def _prediction(prediction: Prediction) -> Attributes:
    method = prediction.method
    attributes: Attributes = {
        "consilience.prediction.id": prediction.id,
        "consilience.question.id": prediction.question_id,
        "consilience.execution": method.execution,
        "consilience.pooling": method.pooling,
        "consilience.cached": prediction.cached,
        "consilience.durable": prediction.durable,
        "consilience.warnings": len(prediction.warnings),
    }
    if prediction.experiment:
        attributes |= {"consilience.experiment": prediction.experiment, "consilience.arm": prediction.arm}
    if prediction.cost is not None:
        attributes["consilience.cost_usd"] = prediction.cost.nano_usd / 1e9
    return attributes


def _vote(prediction: Prediction) -> Attributes:
    agreement = prediction.agreement
    found: Attributes = {
        "consilience.vote.asked": agreement.asked,
        "consilience.vote.answered": agreement.answered,
        "consilience.vote.share": agreement.vote_share,
        "consilience.vote.effective_members": agreement.effective_members,
        "consilience.confidence": prediction.confidence,
    }
    if agreement.independent_members is not None:
        found["consilience.vote.independent_members"] = agreement.independent_members
    return found


def _member(member: MemberAnswer) -> Attributes:
    answer = member.answer
    attributes: Attributes = {
        "consilience.member": member.member,
        "consilience.member.weight": member.weight,
        "consilience.member.attempts": answer.attempts,
    }
    if answer.cost is not None:
        attributes["consilience.cost_usd"] = answer.cost.nano_usd / 1e9
    if isinstance(answer, Forecast) and answer.fallback:
        attributes["consilience.fallback"] = answer.fallback
    return attributes


def _model(who: Identity, answer: Answer) -> Attributes:
    """The model behind a member, under the conventions' names where it is asked as they mean it."""
    if who.kind != "chat":
        plain = {
            "consilience.kind": who.kind,
            "consilience.provider": who.provider,
            "consilience.model": who.model,
        }
        return {name: value for name, value in plain.items() if value}
    attributes: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": who.provider,
        "gen_ai.request.model": who.model,
        "gen_ai.output.type": "json",
    }
    if isinstance(answer, Forecast) and answer.model:
        attributes["gen_ai.response.model"] = answer.model
    return attributes | _usage(answer.usage)


def _usage(usage: TokenUsage | None) -> Attributes:
    """Tokens as the provider billed them; guesses are not told."""
    if usage is None or usage.estimated:
        return {}
    return {
        "gen_ai.usage.input_tokens": usage.input_uncached + usage.cache_read + usage.cache_write,
        "gen_ai.usage.output_tokens": usage.output,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
    }
