# SPDX-License-Identifier: Apache-2.0
"""Makes up an answer that fits a JSON schema, the same for the same seed."""

import json
import math
import random
import re
from typing import Any

from server.simulator.faults import Fault

RATIONALE = "Simulated answer: no model was asked, and this is not a forecast. Größe ≈ 1, naïve, 数."
_RANGE = re.compile(r"from (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?) to (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)", re.IGNORECASE)
_QUANTILE = re.compile(r"q(\d{1,2})")


def compose(
    schema: dict[str, Any] | None, prompt: str, probability: float, random_source: random.Random
) -> str:
    """The text of a good answer.

    Without a schema the prompt is searched for one, as a model asked in words
    would; failing that the answer is a sentence with a percentage.
    """
    wanted = schema or _schema_in(prompt)
    if wanted is None:
        return f"{RATIONALE} Probability: {probability:.0%}"
    return json.dumps(_object(wanted, prompt, probability, random_source), ensure_ascii=False)


def spoil(fault: Fault, text: str, probability: float) -> str:
    """The same answer after a content fault."""
    spoiled = {
        Fault.TRUNCATED: text[: len(text) // 2],
        Fault.BROKEN_JSON: text[: int(len(text) * 0.9)] + '"": ,}',
        Fault.GARBAGE: "lorem ipsum dolor sit amet, 数 {{{ consectetur",
        Fault.FENCED: f"Here is my answer:\n```json\n{text}\n```\nHope this helps!",
        Fault.PROSE: f"I weighed the evidence.\n\nProbability: {probability:.0%}",
        Fault.SCHEMA_DROPPED: json.dumps({"answer": "likely", "why": RATIONALE}),
        Fault.SCHEMA_IGNORED: json.dumps({"answer": "likely", "why": RATIONALE}),
        Fault.OUT_OF_RANGE: re.sub(r"(\"probability\": )[0-9.]+", r"\g<1>17.5", text),
        Fault.EMPTY: "",
        Fault.REFUSE: "I cannot help with that.",
    }
    return spoiled.get(fault, text)


def _schema_in(prompt: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder()
    start = prompt.find('{"type"')
    while start >= 0:
        try:
            found, _ = decoder.raw_decode(prompt, start)
        except ValueError:
            found = None
        if isinstance(found, dict) and "properties" in found:
            return found
        start = prompt.find('{"type"', start + 1)
    return None


def _object(
    schema: dict[str, Any], prompt: str, probability: float, random_source: random.Random
) -> dict[str, Any]:
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    numbers = _numbers(properties, prompt, probability, random_source)
    return {name: numbers.get(name, _value(name, part)) for name, part in properties.items()}


def _value(name: str, part: dict[str, Any]) -> Any:
    if "enum" in part:
        return part["enum"][0]
    kind = str(part.get("type", "string")).lower()
    if kind == "string":
        return "forty-two" if name == "answer" else RATIONALE
    return {"boolean": True, "array": [], "object": {}}.get(kind, 0)


def _numbers(
    properties: dict[str, dict[str, Any]], prompt: str, probability: float, random_source: random.Random
) -> dict[str, float]:
    names = [
        name
        for name, part in properties.items()
        if str(part.get("type", "")).lower() in ("number", "integer")
    ]
    made: dict[str, float] = {}
    if "probability" in names:
        made["probability"] = probability
    if "confidence" in names:
        made["confidence"] = round(random_source.uniform(0.5, 0.95), 2)
    quantiles = [name for name in names if _QUANTILE.fullmatch(name)]
    made |= _quantiles(quantiles, prompt, probability)
    return made | _shares([name for name in names if name not in made], probability, random_source)


def _quantiles(names: list[str], prompt: str, probability: float) -> dict[str, float]:
    """A logistic distribution around ``probability`` of the way through the range in the prompt."""
    if not names:
        return {}
    # Prompts also say "from 0 to 1" of probabilities.
    found = [pair for pair in _RANGE.findall(prompt) if pair != ("0", "1")]
    low, high = (float(found[0][0]), float(found[0][1])) if found else (0.0, 100.0)
    middle, width = low + probability * (high - low), (high - low) / 20
    made = {}
    for name in names:
        level = int(name[1:]) / 100
        made[name] = round(middle + width * math.log(level / (1 - level)), 6)
    return made


def _shares(names: list[str], probability: float, random_source: random.Random) -> dict[str, float]:
    if not names:
        return {}
    rest = [random_source.uniform(0.5, 1.5) for _ in names[1:]]
    left = 1.0 - probability if rest else 0.0
    shares = [1.0 - left, *(left * part / sum(rest) for part in rest)]
    return dict(zip(names, (round(share, 6) for share in shares), strict=True))
