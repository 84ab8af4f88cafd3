# SPDX-License-Identifier: Apache-2.0
"""What a question is about, read from its words: the facts that must be equal before an answer is reused.

Two markets whose words are almost all the same may be opposites: another
ticker, another day, "above" for "below". So dates, numbers, names and the words
that turn a sentence round are taken out and compared exactly; only what is left
over may differ a little (``similarity.py``).
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from server.engine.caching.words import MONTHS, OPENERS, SCALES, SPELT, TURNS

# Not in capitals: MAR and DEC are teams and tickers.
_MONTH = "|".join(sorted((*MONTHS, *map(str.title, MONTHS)), key=len, reverse=True))
_ISO = re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b")
_MONTH_FIRST = re.compile(
    rf"\b(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>\d{{4}}))?\b"
)
_DAY_FIRST = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})\.?(?:,? (?P<year>\d{{4}}))?\b"
)
# "may" alone is a verb more often than a month.
_MONTH_ALONE = re.compile(rf"\b(?P<month>(?![Mm]ay\b)(?:{_MONTH}))\.?(?: (?P<year>\d{{4}}))?\b")
_MAY = re.compile(r"\b(?P<month>[Mm]ay) (?P<year>\d{4})\b")
_IN_MAY = re.compile(r"\b(?:in|of|by|until) (?P<month>[Mm]ay)\b")
_YEAR = re.compile(r"(?<![\d.,$€£¥₹₽₩₿])\b(?P<year>1[89]\d{2}|20\d{2}|21\d{2})\b(?![\d%]|[.,]\d)")
_DATES = (_ISO, _MONTH_FIRST, _DAY_FIRST, _MONTH_ALONE, _MAY, _IN_MAY, _YEAR)
_SHARES = ("%", "percent", "per cent")
_UNIT = "|".join(sorted((*SCALES, *_SHARES), key=len, reverse=True))
_CURRENCIES = "$€£¥₹₽₩₿"
# A dash is a minus where nothing stands before it: "3-5" is a range.
_NUMBER = re.compile(
    rf"(?P<minus>(?<![\w)%.])[-−]\s?)?(?P<currency>[{_CURRENCIES}]\s?)?(?<![\w.])"
    rf"(?P<digits>\d[\d,]*(?:\.\d+)?)\s?(?P<unit>{_UNIT})?(?!\w)"
)
#: Signs that turn a sentence round as words do.
_SIGN = re.compile("[<>≤≥≠±+]")
_COUNT = re.compile(rf"[\d.]+({_UNIT}|st|nd|rd|th)")
_SPELT_NUMBER = re.compile(rf"\b({'|'.join(SPELT)})\b")
_WORD = re.compile(r"[^\W_]+(?:[-.'&][^\W_]+)*")
_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]{1,80})[\"“”«»]|(?<!\w)['‘]([^'‘]{1,80})'(?!\w)")

_Found = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be the same, and the words that are left.

    Dates, numbers and names are in order of appearance, turning words in
    alphabetical order: "by June 30" may stand at either end of a sentence.
    """

    dates: tuple[str, ...]
    numbers: tuple[str, ...]
    names: tuple[str, ...]
    turns: tuple[str, ...]
    words: tuple[str, ...]


def facts(text: str) -> Facts | None:
    """The facts in a question's text; None where names cannot be told, in scripts without capitals."""
    plain = _plain(text)
    if any(unicodedata.category(letter) == "Lo" for letter in plain):
        return None
    names = _names(plain)
    rest, dates = _taken(plain, _DATES, _date)
    rest, numbers = _taken(rest.lower(), (_NUMBER, _SPELT_NUMBER), _number)
    words = [word.removesuffix("'s") for word in _WORD.findall(rest)]
    named = {part for name in names for part in _WORD.findall(name)}
    return Facts(
        dates=dates,
        numbers=numbers,
        names=names,
        turns=tuple(sorted([*(word for word in words if word in TURNS), *_SIGN.findall(text)])),
        words=tuple(word for word in words if word not in TURNS and word not in named),
    )


def _plain(text: str) -> str:
    """The text without accents, with one kind of apostrophe and single spaces."""
    letters = unicodedata.normalize("NFKD", text).replace("’", "'")
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def _names(text: str) -> tuple[str, ...]:
    """Quoted words, and those written with a capital or with letters and digits, in lower case."""
    found = [(quote.start(), (quote[1] or quote[2]).strip().lower()) for quote in _QUOTED.finditer(text)]
    for word in _WORD.finditer(text):
        name = word[0].removesuffix("'s")
        if _is_name(name):
            found.append((word.start(), name.lower()))
    return tuple(name for _, name in sorted(found))


def _is_name(word: str) -> bool:
    if not word.isupper() and (word.lower() in OPENERS or word.lower() in MONTHS):
        return False
    if any(map(str.isdigit, word)):
        return any(map(str.isalpha, word)) and not _COUNT.fullmatch(word.lower())
    return any(map(str.isupper, word))


def _taken(
    text: str, patterns: tuple[re.Pattern[str], ...], read: Callable[[re.Match[str]], str]
) -> tuple[str, tuple[str, ...]]:
    """The text with what the patterns find blanked out, and that as ``read`` reads it, in order."""
    found: _Found = []

    def note(match: re.Match[str]) -> str:
        found.append((match.start(), read(match)))
        return " " * len(match[0])

    for pattern in patterns:
        text = pattern.sub(note, text)
    return text, tuple(each for _, each in sorted(found))


def _date(match: re.Match[str]) -> str:
    """Year, month and day, as far as they are said: "2025-06-30", "-06", "2026"."""
    parts = match.groupdict()
    year, month, day = (parts.get(name) or "" for name in ("year", "month", "day"))
    if month:
        month = f"-{MONTHS[month.lower()] if month.isalpha() else int(month):02}"
    return f"{year}{month}{f'-{int(day):02}' if day else ''}"


def _number(match: re.Match[str]) -> str:
    """The number in full: "-$100k" is -$100000, "ten" is 10; a percentage keeps its sign."""
    if match[0] in SPELT:
        return f"{SPELT[match[0]]:g}"
    minus, currency, digits, unit = (part or "" for part in match.groups())
    value = float(digits.replace(",", "")) * SCALES.get(unit, 1.0)
    return f"{'-' * bool(minus)}{currency.strip()}{value:.12g}{'%' if unit in _SHARES else ''}"
