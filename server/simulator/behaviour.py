# SPDX-License-Identifier: Apache-2.0
"""How a simulated model behaves, spelled in its name.

``sim-p0.73-lognormal400ms-tail5x10-500-rate20`` says: probability 0.73, log-normal
latency of median 400 ms, 5 % of the calls ten times slower, and one call in five
answered with a 500. Words are separated by ``-`` and come in any order; those in
``faults.py`` are faults, the others stand in ``_WORDS`` below. A name that does
not begin with ``sim`` behaves as the settings say.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from server.simulator.faults import Fault
from server.simulator.latency import Latency, Shape


class When(StrEnum):
    """Which calls of a model its fault strikes."""

    ALWAYS = "always"
    FIRST = "first"
    AFTER = "after"
    EVERY = "every"
    FLAP = "flap"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Schedule:
    """FIRST, AFTER, EVERY and FLAP count calls from 0; RATE is a percentage."""

    when: When = When.ALWAYS
    number: int = 1

    def strikes(self, call: int, chance: float) -> bool:
        """Whether the fault strikes the model's ``call``-th call; ``chance`` is uniform in 0..1."""
        return {
            When.ALWAYS: True,
            When.FIRST: call < self.number,
            When.AFTER: call >= self.number,
            When.EVERY: call % self.number == self.number - 1,
            When.FLAP: (call // self.number) % 2 == 0,
            When.RATE: chance * 100 < self.number,
        }[self.when]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Everything that a model's name can say."""

    probability: float | None = None
    latency: Latency = Latency()
    first_token: Latency = Latency()
    fault: Fault | None = None
    schedule: Schedule = Schedule()
    requests_per_minute: int | None = None
    retry_after_s: float = 1.0
    cached_percent: int = 0
    written_percent: int = 0
    reasoning_tokens: int = 0
    rejects: frozenset[str] = frozenset()
    answers_as: str = ""
    words: int = 12


def _latency(match: re.Match[str], now: Behaviour) -> Behaviour:
    return replace(now, latency=replace(now.latency, shape=Shape.FIXED, typical_s=float(match[1]) / 1e3))


def _uniform(match: re.Match[str], now: Behaviour) -> Behaviour:
    low, high = float(match[1]) / 1e3, float(match[2]) / 1e3
    return replace(now, latency=replace(now.latency, shape=Shape.UNIFORM, typical_s=low, spread=high))


def _lognormal(match: re.Match[str], now: Behaviour) -> Behaviour:
    median, sigma = float(match[1]) / 1e3, float(match[2] or 0.5)
    return replace(now, latency=replace(now.latency, shape=Shape.LOGNORMAL, typical_s=median, spread=sigma))


def _tail(match: re.Match[str], now: Behaviour) -> Behaviour:
    share, factor = float(match[1]) / 100, float(match[2])
    return replace(now, latency=replace(now.latency, tail_share=share, tail_factor=factor))


def _first_token(match: re.Match[str], now: Behaviour) -> Behaviour:
    return replace(now, first_token=Latency(typical_s=float(match[1]) / 1e3))


def _schedule(match: re.Match[str], now: Behaviour) -> Behaviour:
    return replace(now, schedule=Schedule(When(match[1]), max(1, int(match[2]))))


def _reject(match: re.Match[str], now: Behaviour) -> Behaviour:
    return replace(now, rejects=now.rejects | {match[1]})


_Rule = Callable[[re.Match[str], Behaviour], Behaviour]

_WORDS: tuple[tuple[str, _Rule], ...] = (
    (r"p(\d(?:\.\d+)?)", lambda m, b: replace(b, probability=min(1.0, float(m[1])))),
    (r"(\d+(?:\.\d+)?)ms", _latency),
    (r"(\d+)to(\d+)ms", _uniform),
    (r"lognormal(\d+)ms(\d\.\d+)?", _lognormal),
    (r"tail(\d+(?:\.\d+)?)x(\d+)", _tail),
    (r"ttft(\d+)ms", _first_token),
    (r"(first|after|every|flap|rate)(\d+)", _schedule),
    (r"rpm(\d+)", lambda m, b: replace(b, requests_per_minute=int(m[1]))),
    (r"wait(\d+)ms", lambda m, b: replace(b, retry_after_s=float(m[1]) / 1e3)),
    (r"cached(\d+)", lambda m, b: replace(b, cached_percent=min(100, int(m[1])))),
    (r"written(\d+)", lambda m, b: replace(b, written_percent=min(100, int(m[1])))),
    (r"reason(\d+)", lambda m, b: replace(b, reasoning_tokens=int(m[1]))),
    (r"no(temperature|schema|seed|effort|maxtokens|streamoptions)", _reject),
    (r"as:(.+)", lambda m, b: replace(b, answers_as=m[1])),
    (r"words(\d+)", lambda m, b: replace(b, words=int(m[1]))),
    (r"sim|fast|slow|[a-z]\d*|", lambda _, b: b),
)
_RULES = tuple((re.compile(pattern), rule) for pattern, rule in _WORDS)
_FAULTS = {fault.value: fault for fault in Fault}


def parse_behaviour(name: str) -> Behaviour:
    """Read a model's name, for example ``sim-p0.73-500ms``.

    Raises:
        ValueError: a word is not known; names it.
    """
    behaviour = Behaviour()
    for word in name.rpartition("/")[2].split("-"):
        behaviour = _apply(word, behaviour, name)
    return behaviour


def _apply(word: str, behaviour: Behaviour, name: str) -> Behaviour:
    if word in _FAULTS:
        return replace(behaviour, fault=_FAULTS[word])
    for pattern, rule in _RULES:
        if match := pattern.fullmatch(word):
            return rule(match, behaviour)
    raise ValueError(f"simulated model {name!r}: the word {word!r} is not known")
