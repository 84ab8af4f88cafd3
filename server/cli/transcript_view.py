# SPDX-License-Identifier: Apache-2.0
"""The calls of one prediction for people."""

import re

from rich.console import Console
from rich.rule import Rule

from server.forecasting.prediction import Prediction
from server.forecasting.transcript import Attempted

#: What models write may steer a terminal.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def show_transcript(out: Console, prediction: Prediction) -> None:
    """Each prompt once, then each call in the order in which they were made."""
    out.print(f"{prediction.id}: {prediction.question_id}, {prediction.ensemble}")
    if not prediction.attempts:
        out.print("no model was asked for it, or its record is older than transcripts", style="dim")
    for number, prompt in enumerate(prediction.prompts, 1):
        for name, text in (("system", prompt.system), ("user", prompt.user), ("schema", prompt.schema)):
            if text:
                out.print(Rule(f"prompt {number}, {name}", align="left", style="dim"))
                out.print(_shown(text))
    for attempt in sorted(prediction.attempts, key=lambda one: one.after_s):
        out.print(Rule(_head(attempt), align="left"))
        out.print(_shown(attempt.answer) or "(no text)")


def _head(attempt: Attempted) -> str:
    sent = "prompt not kept" if attempt.prompt is None else f"prompt {attempt.prompt + 1}"
    cost = "" if attempt.cost is None else f", {attempt.cost.nano_usd / 1e9:.6f} USD"
    how = attempt.reason or "answered"
    cut = ", answer cut" if attempt.is_cut else ""
    times = f"at {attempt.after_s:.3f} s for {attempt.latency_s:.3f} s"
    return f"{attempt.member}: {attempt.provider}/{attempt.model}, {sent}, {times}, {how}{cost}{cut}"


def _shown(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
