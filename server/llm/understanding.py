# SPDX-License-Identifier: Apache-2.0
"""What an attempt's outcome is worth: a forecast, or the reason why it is none."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from server.forecasting.forecast import AbsentReason
from server.forecasting.question import QuestionKind
from server.llm.answers import Reading, UnreadableError, read
from server.llm.completion import Completion, Finish
from server.llm.exchange import EARLY, Exchange
from server.llm.failures import Failure, Parameter
from server.llm.leniency import Fields, lenient_object, partial_object, strict_object
from server.llm.secrets import blotted
from server.llm.untrusted import visible


@dataclass(frozen=True, slots=True)
class Understood:
    """An answer that makes a forecast."""

    reading: Reading
    completion: Completion

    def without(self, *secrets: str) -> "Understood":
        """The same with ``secrets`` blotted out, also where they were written in JSON's escapes."""
        rationale, text = (blotted(said, *secrets) for said in (self.reading.rationale, self.reading.text))
        reading = replace(self.reading, rationale=rationale, text=text)
        return Understood(reading, self.completion.without(*secrets))


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was asked. ``needed``: fields without which there is no forecast."""

    kind: QuestionKind
    needed: tuple[str, ...]
    salvage: bool
    without: AbstractSet[Parameter]

    def understand(self, outcome: Completion | Failure, exchange: Exchange) -> Understood | Failure:
        """The forecast: strictly read, then leniently; of a stream out of time what it had said."""
        if isinstance(outcome, Failure):
            return self._failed(outcome, exchange)
        if (unusable := _unusable(outcome)) is not None:
            return unusable
        if outcome.raw_finish == EARLY:
            return self._read(outcome, partial_object(outcome.text, self.needed))
        return self._read(outcome, strict_object(outcome.text) or lenient_object(outcome.text, self.needed))

    def _failed(self, failure: Failure, exchange: Exchange) -> Understood | Failure:
        if failure.reason is AbsentReason.PROVIDER_TIMEOUT and self.salvage and exchange.reader is not None:
            fields = partial_object(exchange.text, self.needed)
            result = self._read(exchange.reader.seen(), fields)
            return result if isinstance(result, Understood) else failure
        # Refused again although it was left out: leaving it out is no cure.
        return replace(failure, parameter=None) if failure.parameter in self.without else failure

    def _read(self, completion: Completion, fields: Fields | None) -> Understood | Failure:
        if fields is None:
            return Failure(AbsentReason.PROVIDER_BAD_OUTPUT, "the answer holds no forecast", billed=True)
        try:
            return Understood(read(self.kind, fields), completion)
        except UnreadableError as error:
            return Failure(AbsentReason.PROVIDER_BAD_OUTPUT, str(error), billed=True)


def _unusable(completion: Completion) -> Failure | None:
    """Why a whole answer must not be read, if it must not."""
    finish = completion.finish
    if finish is Finish.COMPLETE:
        return None
    if finish is Finish.REFUSED:
        said = " ".join(visible(completion.text, 200).split())
        detail = f"the model refused ({completion.raw_finish}){f': {said}' if said else ''}"
        return Failure(AbsentReason.PROVIDER_REFUSED, detail, billed=True)
    if finish is Finish.TRUNCATED:
        # Asked again it would run into the same wall.
        detail = "the answer was cut at its token limit; raise max_output_tokens or lower effort"
        return Failure(AbsentReason.PROVIDER_BAD_OUTPUT, detail, retry=False, billed=True)
    detail = f"finish reason {completion.raw_finish!r} is not known"
    return Failure(AbsentReason.PROVIDER_BAD_OUTPUT, detail, billed=True)
