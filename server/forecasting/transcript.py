# SPDX-License-Identifier: Apache-2.0
"""Every call that was made for one prediction: what was sent, what came back, how it went.

Prompts are kept once, however many members got them, and texts only up to a bound.
Keys never come here: an attempt says neither by which key it was made nor by whose.
"""

from dataclasses import dataclass

from server.forecasting.forecast import Cost, TokenUsage


@dataclass(frozen=True, slots=True)
class SentPrompt:
    """A prompt as it was sent. ``schema``: the JSON schema sent beside it; empty where it is in the text."""

    system: str
    user: str
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Attempted:
    """One call to one model, ended: also one that failed, or was let go because another was quicker.

    ``after_s``: when it was made, in seconds from the prediction's beginning. ``reason``
    is empty where the answer could be used. ``prompt`` points into the prediction's
    ``prompts``; None where texts are not kept, or no more of them. ``answer`` is the
    model's text as it came, as far as it came; ``is_cut``: not all of it is kept.
    """

    member: str
    provider: str
    model: str
    after_s: float
    latency_s: float
    reason: str = ""
    detail: str = ""
    status: int | None = None
    answered_by: str = ""
    response_id: str = ""
    usage: TokenUsage | None = None
    cost: Cost | None = None
    prompt: int | None = None
    answer: str = ""
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class TextBounds:
    """Most characters that are kept: of all texts of one prediction, and of one answer."""

    prediction: int
    answer: int


#: Calls listed for one prediction at most; ensembles within ensembles could make any number.
MOST_ATTEMPTS = 1_000


class Scribe:
    """Takes down the calls of one prediction. ``bounds``: None keeps no texts."""

    def __init__(self, begun_s: float, bounds: TextBounds | None) -> None:
        self._begun_s = begun_s
        self._bounds = bounds
        self._left = 0 if bounds is None else bounds.prediction
        self._places: dict[SentPrompt, int] = {}
        self._attempts: list[Attempted] = []

    @property
    def attempts(self) -> tuple[Attempted, ...]:
        """In the order in which they ended."""
        return tuple(self._attempts)

    @property
    def prompts(self) -> tuple[SentPrompt, ...]:
        """Those that ``attempts`` point to."""
        return tuple(self._places)

    def after_s(self, begun_s: float) -> float:
        """Seconds from the prediction's beginning to this instant of the same monotonic clock."""
        return begun_s - self._begun_s

    def placed(self, prompt: SentPrompt) -> int | None:
        """Where the prompt is kept; None: it is not."""
        place = self._places.get(prompt)
        if place is None and self._bounds is not None:
            size = len(prompt.system) + len(prompt.user) + len(prompt.schema)
            if size <= self._left:
                self._left -= size
                place = self._places[prompt] = len(self._places)
        return place

    def kept(self, answer: str) -> tuple[str, bool]:
        """As much of an answer as there is room for, and whether that is less than all."""
        if self._bounds is None:
            return "", False
        room = min(self._bounds.answer, self._left)
        self._left -= min(len(answer), room)
        return answer[:room], len(answer) > room

    def note(self, attempt: Attempted) -> None:
        """Take down a call that has ended."""
        if len(self._attempts) < MOST_ATTEMPTS:
            self._attempts.append(attempt)
