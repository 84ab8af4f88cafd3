# SPDX-License-Identifier: Apache-2.0
"""How alike the words of two questions are.

The cosine of their counts of word stems and letter triples; but 0 as soon as
one of them has a word of weight for which the other has no like: in a long
sentence one decisive word hardly moves a cosine ("reverse repurchase
agreements"). Two words are alike that share their stem or most of their
letter triples. Words that carry no meaning of their own count little and need
no like. No table of word frequencies is needed: what is rare and decisive, such
as names and numbers, has been compared by ``facts.py`` already.
Source: Salton and McGill (1983), Introduction to Modern Information Retrieval.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.engine.caching.words import ENDINGS, LIGHT

_TRIPLE_WEIGHT = 0.25
_LIGHT_WEIGHT = 0.1
#: Share of two words' letter triples (Dice) from which they count as alike.
_ALIKE = 0.6
_STEM = 4


@dataclass(frozen=True, slots=True)
class Wording:
    """A question's words, ready to be compared: hashed counts of length 1, and the stems of weight."""

    counts: Mapping[str, float]
    stems: frozenset[str]


def wording(words: Sequence[str]) -> Wording:
    """The words as they are compared; none give no counts."""
    counts: dict[str, float] = defaultdict(float)
    for word in words:
        weight = _LIGHT_WEIGHT if word in LIGHT else 1.0
        counts[stem(word)] += weight
        for triple in _triples(word):
            counts[triple] += weight * _TRIPLE_WEIGHT
    length = math.sqrt(math.fsum(count * count for count in counts.values()))
    stems = frozenset(stem(word) for word in words if word not in LIGHT)
    return Wording({feature: count / length for feature, count in counts.items()}, stems)


def similarity(left: Wording, right: Wording) -> float:
    """0..1; 1 for the same words, 0 where a word of weight has no like."""
    if not (_each_has_a_like(left, right) and _each_has_a_like(right, left)):
        return 0.0
    if not left.counts and not right.counts:
        return 1.0
    other = right.counts
    return min(1.0, math.fsum(value * other.get(feature, 0.0) for feature, value in left.counts.items()))


def stem(word: str) -> str:
    """The word without a common English ending, at least four letters of it."""
    word = word.removesuffix("'s")
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word[: -len(ending)]
    return word


def _each_has_a_like(these: Wording, those: Wording) -> bool:
    missing = these.stems - those.stems
    return all(any(_dice(word, other) >= _ALIKE for other in those.stems - these.stems) for word in missing)


def _dice(left: str, right: str) -> float:
    these, those = set(_triples(left)), set(_triples(right))
    return 2 * len(these & those) / (len(these) + len(those))


def _triples(word: str) -> list[str]:
    """Runs of three characters, marked at the ends; never equal to a stem, which has no mark."""
    padded = f"#{word}#"
    return [f"#{padded[i : i + 3]}" for i in range(len(padded) - 2)]
