# SPDX-License-Identifier: Apache-2.0
"""One forecast from one model: attempts, what to do between them, and the bill."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Cost, Forecast, TokenUsage
from server.forecasting.purse import Hold, Refused
from server.forecasting.query import Query
from server.llm.attempts import Attempt
from server.llm.billing import bill, total_usage
from server.llm.bounds import upper_bound
from server.llm.completion import ChatRequest, Completion
from server.llm.endpoint import Endpoint
from server.llm.exchange import Exchange
from server.llm.failures import Failure, Parameter
from server.llm.keys import Key
from server.llm.leniency import partial_object
from server.llm.limiter import Limiter, Permit
from server.llm.prompting import Messages, Prompter
from server.llm.provider import Provider
from server.llm.retry import Situation, Step, next_step
from server.llm.settings import ChatSettings
from server.llm.transcribing import sent_prompt, take_down, without_key
from server.llm.understanding import Expectation, Understood

#: Characters of a stream up to which it is looked through with each word: numbers that help come first.
EARLIEST = 4_000


@dataclass(frozen=True, slots=True)
class Member:
    """Everything about a member that stays the same from question to question."""

    name: str
    settings: ChatSettings
    provider: Provider
    endpoint: Endpoint
    prompter: Prompter


@dataclass(frozen=True, slots=True)
class _Pass:
    """Leave to make one attempt. ``hold``: the money for it, None where nobody counts."""

    key: Key
    permit: Permit
    ticket: int
    without: frozenset[Parameter]
    hold: Hold | None


@dataclass(frozen=True, slots=True)
class _Sent:
    """An attempt that was made: what was sent, when, and when it had to be back."""

    messages: Messages
    exchange: Exchange
    begun_s: float
    due: Deadline


@dataclass(slots=True)
class Asking:
    """One question being asked. Used once."""

    member: Member
    query: Query
    deadline: Deadline
    own_key: str | None = None
    attempts: int = 0
    #: Of an absence: whether another model or provider may do better.
    may_be_mended_elsewhere: bool = False
    _costs: list[Cost] = field(default_factory=list)
    _usages: list[TokenUsage] = field(default_factory=list)
    _taken: set[Step] = field(default_factory=set)
    _tried: set[str] = field(default_factory=set)
    _key: str = ""
    _waited_s: float = 0.0
    _in_words: bool = False
    _messages: Messages | None = None

    async def run(self) -> Answer:
        """The forecast, or why there is none."""
        self._in_words = self.member.settings.schema_mode == "words"
        while True:
            if self.deadline.expired:
                return self._absent(Failure(AbsentReason.DEADLINE_EXCEEDED, "no time was left to ask"))
            result = await self._attempt()
            if isinstance(result, Understood):
                return self._forecast(result)
            step = next_step(result, self._situation())
            if step is Step.GIVE_UP:
                return self._absent(result)
            self._prepare(step)

    def _prepare(self, step: Step) -> None:
        self._taken.add(step)
        if step is Step.OTHER_KEY:
            self._tried.add(self._key)
        elif step is Step.IN_WORDS:
            self._in_words, self._messages = True, None

    async def _attempt(self) -> Understood | Failure:
        """Pass everything that may hold a call back, then make it."""
        provider, endpoint = self.member.provider, self.member.endpoint
        if endpoint.is_unknown:
            return Failure(
                AbsentReason.CALLER_MODEL_UNKNOWN, f"{provider.name} does not know {endpoint.model}"
            )
        without = endpoint.refused
        if Parameter.SCHEMA in without and not self._in_words:
            self._in_words, self._messages = True, None
        messages = self._compose()
        tokens = messages.tokens + self.member.settings.max_output_tokens
        key = provider.pick_key(endpoint, self.own_key, self._tried, tokens)
        if isinstance(key, Failure):
            return key
        limiter = endpoint.limiter(key)
        self._waited_s = 0.0
        permit = limiter.try_enter(tokens) or await self._wait_for(limiter, tokens)
        if isinstance(permit, Failure):
            return permit
        attempts = self.attempts
        try:
            ticket = endpoint.breaker.admit()
            if ticket is None:
                return _circuit_open(endpoint)
            self._key = key.label
            hold = await self._reserve(messages, without, ticket)
            if isinstance(hold, Failure):
                return hold
            try:
                return await self._send(messages, _Pass(key, permit, ticket, without, hold))
            finally:
                if hold is not None:
                    hold.settle(None)  # does nothing unless the request could not even be made
        finally:
            limiter.leave(unused=permit if self.attempts == attempts else None)

    async def _wait_for(self, limiter: Limiter, tokens: int) -> Permit | Failure:
        clock = self.deadline.clock
        begun_s = clock.monotonic()
        permit = await limiter.enter(tokens, self.deadline)
        self._waited_s = clock.monotonic() - begun_s
        return permit

    async def _reserve(
        self, messages: Messages, without: frozenset[Parameter], ticket: int
    ) -> Hold | Failure | None:
        """Have the money for one attempt set aside; every attempt that is paid passes here."""
        purse, member = self.query.purse, self.member
        if purse is None:
            return None
        bound = upper_bound(member.provider, member.settings, messages, without)
        if bound == 0:
            return None
        got: Hold | Failure = _CANCELLED
        try:
            own = self.own_key is not None
            hold = await purse.reserve(member.name, member.provider.name, bound, callers_key=own)
            got = _usable(hold, self.deadline)
        finally:
            if isinstance(got, Failure):
                member.endpoint.breaker.release(ticket)
        return got

    def _compose(self) -> Messages:
        if self._messages is None:
            self._messages = self.member.prompter.messages(self.query, in_words=self._in_words)
        return self._messages

    async def _send(self, messages: Messages, leave: _Pass) -> Understood | Failure:
        provider = self.member.provider
        request = provider.request(self.member.endpoint, self._request(messages), leave.key, leave.without)
        exchange = provider.exchange(self._enough(messages), stream=self.member.settings.stream)
        self.attempts += 1
        due = self.deadline.within(provider.settings.timeouts.total_s)
        sent = _Sent(messages, exchange, self.deadline.clock.monotonic(), due)
        outcome: Completion | Failure = _CANCELLED
        result: Understood | Failure = _CANCELLED
        try:
            outcome = self._clean(await exchange.run(request, due), leave)
            understood = self._expectation(messages, leave).understand(outcome, exchange)
            result = provider.without_secrets(understood, leave.key)
        finally:
            self._conclude(sent, leave, outcome, result)
        return result

    def _clean(self, outcome: Completion | Failure, leave: _Pass) -> Completion | Failure:
        """The outcome without secrets."""
        outcome = self.member.provider.without_secrets(outcome, leave.key)
        return self._named(outcome, leave.without) if isinstance(outcome, Failure) else outcome

    def _named(self, failure: Failure, without: frozenset[Parameter]) -> Failure:
        """A refusal of some parameter as one of the least needed that was sent."""
        if not failure.unnamed_parameter:
            return failure
        settings = self.member.settings
        sent = {
            Parameter.SEED: settings.seed is not None,
            Parameter.TEMPERATURE: settings.temperature is not None,
            Parameter.EFFORT: settings.effort is not None,
            Parameter.SCHEMA: not self._in_words,
        }
        left = [one for one, is_sent in sent.items() if is_sent and one not in without]
        return replace(failure, parameter=left[0] if left else None)

    def _request(self, messages: Messages) -> ChatRequest:
        settings = self.member.settings
        return ChatRequest(
            model=settings.model,
            system=messages.system,
            user=messages.user,
            schema=None if self._in_words else messages.schema,
            max_output_tokens=settings.max_output_tokens,
            temperature=settings.temperature,
            seed=settings.seed,
            effort=settings.effort,
            stream=settings.stream,
            through_tool=settings.schema_mode == "tool",
            extra=settings.extra,
        )

    def _enough(self, messages: Messages) -> Callable[[str], bool] | None:
        if self.member.settings.early != "at_once":
            return None
        needed = messages.schema.needed
        return lambda text: (
            len(text) <= EARLIEST
            and ("," in text[-8:] or "}" in text[-8:])
            and partial_object(text, needed) is not None
        )

    def _expectation(self, messages: Messages, leave: _Pass) -> Expectation:
        salvage = self.member.settings.early != "never"
        return Expectation(self.query.question.kind, messages.schema.needed, salvage, leave.without)

    def _conclude(
        self, sent: _Sent, leave: _Pass, outcome: Completion | Failure, result: Understood | Failure
    ) -> None:
        """Let everybody concerned know how an attempt went: breaker, limiter, ledger, transcript."""
        provider, endpoint = self.member.provider, self.member.endpoint
        failure = result if isinstance(result, Failure) else None
        seconds = self.deadline.clock.monotonic() - sent.begun_s
        provider.judge(endpoint, leave.ticket, failure, sent.begun_s, sent.due.at_s)
        provider.learn(endpoint, leave.key, leave.permit, sent.exchange, failure)
        if failure is None:
            endpoint.learn_latency(seconds)
        if isinstance(outcome, Completion) and not self._in_words:
            bad = failure is not None and failure.reason is AbsentReason.PROVIDER_BAD_OUTPUT
            if endpoint.learn_readable(readable=not bad):
                what = f"{endpoint.model} ignores schemas; it is asked in words for a while"
                provider.observer.alerted(provider.name, what, failure.detail if failure else "")
        attempt = self._booked(sent, leave, outcome, failure, seconds)
        if self.query.scribe is not None:
            in_words = self._in_words or Parameter.SCHEMA in leave.without
            prompt = sent_prompt(sent.messages, leave.key, in_words=in_words)
            said = outcome.text if isinstance(outcome, Completion) else sent.exchange.text
            take_down(self.query.scribe, attempt, sent.begun_s, prompt, without_key(said, leave.key))

    def _booked(
        self,
        sent: _Sent,
        leave: _Pass,
        outcome: Completion | Failure,
        failure: Failure | None,
        seconds: float,
    ) -> Attempt:
        """Settle what the attempt cost, and tell the observer of it."""
        provider, model, exchange = self.member.provider, self.member.endpoint.model, sent.exchange
        usage, cost = bill(
            outcome, exchange, sent.messages.tokens, self._unseen_tokens(), provider.book, model
        )
        if usage is not None:
            self._usages.append(usage)
            if not usage.estimated:
                self.member.endpoint.learn_output(usage.output)
        if cost is not None:
            self._costs.append(cost)
        if leave.hold is not None:
            leave.hold.settle(cost, unpriced=usage is not None and cost is None)
        attempt = Attempt(
            member=self.member.name,
            provider=provider.name,
            telemetry_name=provider.flavour.telemetry,
            model=model,
            answered_by=outcome.model if isinstance(outcome, Completion) else "",
            key=leave.key.label,
            reason=failure.reason if failure else None,
            detail=failure.detail if failure else "",
            status=failure.status if failure else 200,
            usage=usage,
            cost=cost,
            latency_s=seconds,
            stream=self.member.settings.stream,
            waited_s=self._waited_s,
            first_word_s=exchange.first_word_s,
            bad_chunks=exchange.reader.bad_chunks if exchange.reader else 0,
            response_id=_response_id(exchange, outcome),
            caller=self.query.caller,
            question_id=self.query.question.id,
            hold=leave.hold,
        )
        provider.told(attempt)
        return attempt

    def _unseen_tokens(self) -> int:
        """Length of an answer that was on its way, if it was not being streamed."""
        settings = self.member.settings
        if settings.stream:
            return 0
        usual = self.member.endpoint.typical_output()
        return settings.max_output_tokens if usual is None else min(usual, settings.max_output_tokens)

    def _situation(self) -> Situation:
        provider, endpoint = self.member.provider, self.member.endpoint
        retries = provider.settings.retries
        tried = self._tried | {self._key}
        return Situation(
            attempts=self.attempts,
            max_attempts=retries.max_attempts,
            left_s=self.deadline.remaining_s(),
            typical_s=max(retries.min_left_s, endpoint.typical_s()),
            other_keys=self.own_key is None and provider.other_keys(endpoint.model, tried),
            in_words=self._in_words,
            taken=self._taken,
        )

    def _forecast(self, understood: Understood) -> Forecast:
        reading, completion = understood.reading, understood.completion
        return Forecast(
            probabilities=reading.probabilities,
            self_confidence=reading.self_confidence,
            rationale=reading.rationale,
            model=completion.model or self.member.settings.model,
            text=reading.text,
            raw=completion.text,
            usage=total_usage(self._usages),
            cost=Cost.total(self._costs),
            attempts=self.attempts,
            prompt_hash=self._compose().prompt_hash,
        )

    def _absent(self, failure: Failure) -> Absent:
        self.may_be_mended_elsewhere = failure.may_be_mended_elsewhere
        return Absent(
            reason=failure.reason,
            detail=failure.detail,
            cost=Cost.total(self._costs),
            usage=total_usage(self._usages),
            attempts=self.attempts,
        )


_CANCELLED = Failure(AbsentReason.CALLER_CANCELLED, "the caller hung up", billed=True)


def _usable(hold: Hold | Refused, deadline: Deadline) -> Hold | Failure:
    """The hold, if there is one and still time to use it."""
    if isinstance(hold, Refused):
        return Failure(AbsentReason.POLICY_BUDGET_EXCEEDED, hold.detail)
    if not deadline.expired:
        return hold
    hold.settle(None)
    return Failure(AbsentReason.DEADLINE_EXCEEDED, "no time was left once the money was set aside")


def _response_id(exchange: Exchange, outcome: Completion | Failure) -> str:
    if isinstance(outcome, Completion):
        return outcome.response_id
    return exchange.headers.get("x-generation-id", "") if exchange.headers else ""


def _circuit_open(endpoint: Endpoint) -> Failure:
    wait_s = endpoint.breaker.reopens_in_s
    when = f"tried again in {wait_s:.1f} s" if wait_s else "coming back by degrees"
    return Failure(AbsentReason.POLICY_CIRCUIT_OPEN, f"{endpoint.model} failed too often; {when}")
