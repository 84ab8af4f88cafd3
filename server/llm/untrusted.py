# SPDX-License-Identifier: Apache-2.0
"""Text of others inside our prompts: fenced with a marker nobody can guess, and defused.

Questions come from markets, news and callers, and may hold instructions meant
for the model. Three defences, none of them sufficient alone: the text stands
between random markers that the prompt explains; what looks like a marker or a
chat template's control token is taken out; invisible characters, which hide
instructions from people, are dropped.
"""

import re
from functools import lru_cache

from server.forecasting.randomness import random_hex

_OPEN = "[<＜‹〈⟨⟪《≪«【]"
_CLOSE = "[>＞›〉⟩⟫》≫»】]"
_LOOKALIKE = re.compile(rf"{_OPEN}{{1,3}}\s*/?\s*data-[\w-]*\s*{_CLOSE}{{1,3}}", re.IGNORECASE)
_CONTROL_TOKENS = re.compile(
    r"<\|[^|<>\n]{1,40}\|>"  # ChatML, Llama 3, Phi
    r"|\[/?INST\]|<</?SYS>>|</?s>"  # Llama 2, Mistral
    r"|<(?:start|end)_of_turn>"  # Gemma
    r"|<｜[^｜\n]{1,40}｜>"  # DeepSeek
    r"|</?(?:system|assistant|user|human|developer|tool|function)(?:_prompt|_message|_calls?)?>",
    re.IGNORECASE,
)
#: Without these none of the above is left.
_BRACKETS = re.compile(f"{_OPEN}|{_CLOSE}|[|｜[\\]]")
#: Passes that take tokens out of each other; whoever nests them deeper loses all brackets.
_PASSES = 3
_LINE_ENDS = re.compile("\r\n|[\u0085\u2028\u2029]")
_ROLE_LINE = re.compile(
    r"^(\W{0,4})(system|assistant|developer|user|human)(\s*(?:prompt|message)?\s*:)",
    re.IGNORECASE | re.MULTILINE,
)
#: Zero-width, direction, tag, variation and other format characters; controls save tab and new line.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
    "\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


def visible(text: str, max_characters: int) -> str:
    """What a model wrote, without characters that hide or steer a terminal, cut to ``max_characters``."""
    return _INVISIBLE.sub("", text[:max_characters])


def new_marker() -> str:
    """A marker for one request, 64 random bits."""
    return f"data-{random_hex(8)}"


@lru_cache(maxsize=512)
def defuse(text: str, max_characters: int) -> str:
    """The text without what could pass for part of the prompt, cut to ``max_characters``.

    Cached, because all members of an ensemble get the same question.
    """
    kept = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text[: 2 * max_characters]))
    # A token taken out may join its neighbours into another one.
    for _ in range(_PASSES):
        found = _LOOKALIKE.sub("", _CONTROL_TOKENS.sub("", kept))
        if found == kept:
            break
        kept = found
    else:
        kept = _BRACKETS.sub("", kept)
    kept = _ROLE_LINE.sub(r"\1(\2)\3", kept)
    return kept if len(kept) <= max_characters else kept[:max_characters] + " […]"
