# SPDX-License-Identifier: Apache-2.0
"""A query to the two messages that a model gets."""

import hashlib
from dataclasses import dataclass

from server.forecasting.deadline import Clock
from server.forecasting.query import Query
from server.forecasting.question import Binary, Exclusive, FreeText, Numeric, Question, QuestionKind
from server.llm.completion import AnswerSchema
from server.llm.pricing import tokens_in
from server.llm.privacy import disclosed
from server.llm.prompt import Prompt, load_prompt
from server.llm.schemas import answer_schema, letter
from server.llm.untrusted import defuse, new_marker

_SECTIONS: dict[type[QuestionKind], str] = {
    Binary: "binary",
    Exclusive: "exclusive",
    Numeric: "numeric",
    FreeText: "free_text",
}
#: Longest text for each field that others write, in characters; the rest is cut.
_LONGEST = {"question": 4_000, "resolution_criteria": 6_000, "background": 12_000}
_LONGEST_LINE = 300


@dataclass(frozen=True, slots=True)
class Messages:
    """What is sent, and what is needed to understand the answer.

    ``size`` is what is sent in bytes, ``tokens`` an estimate of the prompt's.
    """

    system: str
    user: str
    schema: AnswerSchema
    prompt_hash: str
    size: int
    tokens: int


class Prompter:
    """Fills prompts for one member: variants by weight, fields by the provider's policy."""

    def __init__(self, name: str, variants: dict[str, float], allowed: frozenset[str], clock: Clock) -> None:
        self._allowed = allowed
        self._clock = clock
        weights = variants or {name: 1.0}
        total = sum(weights.values())
        self._variants = [(load_prompt(prompt), weight / total) for prompt, weight in weights.items()]

    @property
    def version(self) -> str:
        """Hashes of all variants."""
        return ",".join(prompt.hash for prompt, _ in self._variants)

    def messages(self, query: Query, *, in_words: bool) -> Messages:
        """The messages; ``in_words`` puts the schema into the prompt.

        Members of one question that get the same text share it, marker and all: nobody who
        writes the question can know that beforehand.
        """
        prompt = self._pick(query)
        key = (prompt.hash, self._allowed, query.share_market_price, in_words)
        kept: tuple[Question, Messages] | None = query.memo.get(key)
        if kept is None or kept[0] is not query.question:
            kept = query.question, self._rendered(prompt, query, in_words=in_words)
            query.memo[key] = kept
        return kept[1]

    def _rendered(self, prompt: Prompt, query: Query, *, in_words: bool) -> Messages:
        kind = query.question.kind
        schema = answer_schema(kind, numbers_first=prompt.numbers_first)
        values = self._values(query, schema)
        parts = [prompt.fill("question", values), prompt.fill(_SECTIONS[type(kind)], values)]
        if in_words:
            parts.append(prompt.fill("in_words", values))
        system, user = prompt.fill("system", values), "\n\n".join(parts)
        sizes = [len(system.encode()), len(user.encode()), 0 if in_words else len(schema.text.encode())]
        return Messages(system, user, schema, prompt.hash, sum(sizes), sum(map(tokens_in, sizes)))

    def _pick(self, query: Query) -> Prompt:
        """The same variant for the same question, so that an answer can be repeated."""
        if len(self._variants) == 1:
            return self._variants[0][0]
        digest = hashlib.blake2b(f"{query.question.id}\0{query.question.text}".encode(), digest_size=8)
        left = int.from_bytes(digest.digest(), "big") / 2**64
        for prompt, share in self._variants:
            left -= share
            if left < 0:
                return prompt
        return self._variants[-1][0]

    def _values(self, query: Query, schema: AnswerSchema) -> dict[str, str]:
        values = {
            name: (defuse(text, _LONGEST[name]) if name in _LONGEST else _line(text)) if text else ""
            for name, text in disclosed(query, self._allowed).items()
        }
        marker = new_marker()
        values |= _kind_values(query.question.kind, marker)
        values["marker"], values["schema"] = marker, schema.text
        # A question about the past must not be told the present date, whatever else may leave.
        today = query.question.as_of_time or self._clock.now()
        values["today"] = today.strftime("%Y-%m-%d %H:%M UTC")
        return values


def _kind_values(kind: QuestionKind, marker: str) -> dict[str, str]:
    if isinstance(kind, Exclusive):
        named = (f"{letter(i)}: {_line(name)}" for i, name in enumerate(kind.outcomes))
        return {"outcomes": "\n".join(named)}
    if isinstance(kind, Numeric):
        unit = _line(kind.unit)
        return {
            "low": f"{kind.grid[0]:g}",
            "high": f"{kind.grid[-1]:g}",
            "unit": f" in <<{marker}>> {unit} <</{marker}>>" if unit else "",
        }
    return {}


def _line(text: str) -> str:
    """A short text on one line, so that it cannot open a paragraph of its own."""
    return " ".join(defuse(text, _LONGEST_LINE).split())
