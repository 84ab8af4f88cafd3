# SPDX-License-Identifier: Apache-2.0
"""How alike two short texts are by their letters: what is left where no model tells their meanings."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

#: Cosine from which two answers are taken for one.
MIN_SIMILARITY = 0.6
#: Words that change nothing in an answer.
_FILLERS = frozenset(["a", "an", "the", "of", "is", "it", "its", "in", "to", "be", "will", "by"])
_WORD = re.compile(r"\w+")


def letters(text: str) -> Counter[str]:
    """Words and pairs of neighbouring letters of a text, accents and case left out."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    words = _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))
    kept = [word for word in words if word not in _FILLERS] or words
    parts = Counter(f"={word}" for word in kept)
    for word in kept:
        parts.update(f"^{word}$"[at : at + 3] for at in range(len(word)))
    return parts


def cosine(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Cosine of two sparse vectors; 0 where one is empty."""
    across = sum(value * second.get(part, 0.0) for part, value in first.items())
    lengths = math.sqrt(sum(v * v for v in first.values()) * sum(v * v for v in second.values()))
    return across / lengths if lengths else 0.0


def differ_in_numbers(first: str, second: str) -> bool:
    """Whether the texts name different numbers; then they are different answers however alike they look."""
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", first)) != sorted(re.findall(r"\d+(?:[.,]\d+)*", second))
