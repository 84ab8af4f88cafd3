# SPDX-License-Identifier: Apache-2.0
"""Whether the answer to one question will do for another: the guards first, then the words."""

import hashlib
from dataclasses import dataclass

from server.engine.caching.facts import Facts, facts
from server.engine.caching.similarity import Wording, similarity, wording
from server.forecasting.question import Question


@dataclass(frozen=True, slots=True)
class Subject:
    """What a question is about. Only questions with equal ``guard`` can be alike.

    The guard covers the category, the background, the kind and its outcomes, the instants, and
    all dates, numbers, names and turning words of text and resolution criteria.
    """

    guard: bytes
    text: Wording
    criteria: Wording


def subject_of(question: Question) -> Subject | None:
    """The subject; None for a question whose names cannot be told."""
    text, criteria = facts(question.text), facts(question.resolution_criteria)
    if text is None or criteria is None or not text.words:
        return None
    guarded = (
        question.category.casefold(),
        # News that the members are to know of: with other news it is another question.
        " ".join(question.background.casefold().split()),
        question.kind,
        question.as_of_time,
        question.resolve_time,
        _guard(text),
        _guard(criteria),
    )
    digest = hashlib.blake2b(repr(guarded).encode(errors="surrogatepass"), digest_size=16).digest()
    return Subject(digest, wording(text.words), wording(criteria.words))


def alike(left: Subject, right: Subject) -> float:
    """The lower of the similarities of texts and criteria, 0..1; 0 where a guard differs."""
    if left.guard != right.guard:
        return 0.0
    return min(similarity(left.text, right.text), similarity(left.criteria, right.criteria))


def _guard(found: Facts) -> tuple[object, ...]:
    return found.dates, found.numbers, found.names, found.turns
