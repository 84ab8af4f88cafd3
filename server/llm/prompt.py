# SPDX-License-Identifier: Apache-2.0
"""Prompts: versioned files with a hash, compiled once, filled per question.

A file has a TOML head between ``+++`` lines (``order``: ``rationale_first`` or
``numbers_first``) and sections that begin with ``# name``. ``{{slot}}`` is
filled; a paragraph with an empty slot is left out. A file is never changed
after a release: a better prompt is a new file with the next number.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from server.llm.privacy import FIELDS

SHIPPED = Path(__file__).parent / "prompts"
SECTIONS = ("system", "question", "binary", "exclusive", "numeric", "free_text", "in_words")
_SLOTS = FIELDS | {"marker", "today", "outcomes", "unit", "low", "high", "schema"}
_ORDERS = ("rationale_first", "numbers_first")
#: Slots that may be empty without the paragraph being left out.
_OPTIONAL = frozenset({"unit"})
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_SECTION = re.compile(r"^# (\w+)\s*$", re.MULTILINE)

#: A paragraph: texts and slots in turn, beginning and ending with a text.
_Paragraph = tuple[str, ...]


class PromptError(ValueError):
    """A prompt file is not as it should be. The message says where and how."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A compiled prompt. ``hash`` identifies the file's exact content."""

    name: str
    hash: str
    numbers_first: bool
    sections: Mapping[str, tuple[_Paragraph, ...]]

    def fill(self, section: str, values: Mapping[str, str]) -> str:
        """A section with its slots filled; paragraphs with an empty slot are left out."""
        filled = [_fill(paragraph, values) for paragraph in self.sections[section]]
        return "\n\n".join(text for text in filled if text)


@lru_cache(maxsize=64)
def load_prompt(name: str) -> Prompt:
    """A shipped prompt by name, or one of the user's by path.

    Raises:
        PromptError: there is no such prompt, or its file is broken.
    """
    path = SHIPPED / f"{name}.md" if re.fullmatch(r"[\w-]+", name) else Path(name).expanduser()
    try:
        content = path.read_bytes()
    except OSError as error:
        shipped = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.md")))
        raise PromptError(
            f"prompt {name!r} cannot be read ({error.strerror}); shipped are {shipped}"
        ) from None
    return parse_prompt(path.stem, content)


def parse_prompt(name: str, content: bytes) -> Prompt:
    """Compile a file's content.

    Raises:
        PromptError: the head, a section or a slot is wrong.
    """
    try:
        head, body = content.decode("utf-8").split("+++\n", 2)[1:]
        order = tomllib.loads(head).get("order")
    except (ValueError, tomllib.TOMLDecodeError) as error:
        raise PromptError(f"prompt {name!r}: wants a TOML head between +++ lines ({error})") from None
    if order not in _ORDERS:
        raise PromptError(f"prompt {name!r}: order is {order!r}; use {' or '.join(_ORDERS)}")
    parts = _SECTION.split(body)[1:]
    sections = {title: _compile(name, text) for title, text in zip(parts[::2], parts[1::2], strict=True)}
    if missing := [section for section in SECTIONS if section not in sections]:
        raise PromptError(f"prompt {name!r}: the section '# {missing[0]}' is missing")
    return Prompt(name, hashlib.sha256(content).hexdigest()[:16], order == "numbers_first", sections)


def _compile(name: str, text: str) -> tuple[_Paragraph, ...]:
    paragraphs = tuple(tuple(_SLOT.split(paragraph)) for paragraph in text.strip().split("\n\n"))
    for paragraph in paragraphs:
        if unknown := [slot for slot in paragraph[1::2] if slot not in _SLOTS]:
            raise PromptError(
                f"prompt {name!r}: {{{{{unknown[0]}}}}} is no slot; use {', '.join(sorted(_SLOTS))}"
            )
    return paragraphs


def _fill(paragraph: _Paragraph, values: Mapping[str, str]) -> str:
    made = list(paragraph)
    for index in range(1, len(paragraph), 2):
        slot = paragraph[index]
        value = values.get(slot, "")
        if not value and slot not in _OPTIONAL:
            return ""
        made[index] = value
    return "".join(made)
