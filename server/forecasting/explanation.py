# SPDX-License-Identifier: Apache-2.0
"""An answer's reasons, for people."""

from collections.abc import Sequence

from server.forecasting.prediction import Decision, MemberAnswer

_SHOWN = 3


def explain(
    outcome: str, confidence: float, pooling: str, members: Sequence[MemberAnswer], decision: Decision
) -> str:
    """Who moved the answer, who is missing and why it was decided so."""
    present = [member for member in members if member.forecast is not None]
    asked = [
        member for member in members if member.absent is None or member.absent.attempts or member.latency_s
    ]
    answers = f"{len(present)} answer{'s' if len(present) > 1 else ''}"
    sentences = [f"{outcome} at {confidence:.1%} by {pooling} of {answers}."]
    movers = sorted(present, key=lambda member: -abs(member.contribution))
    if lifted := _listed([member for member in movers if member.contribution > 0]):
        sentences.append(f"Raised most by {lifted}.")
    if lowered := _listed([member for member in movers if member.contribution < 0]):
        sentences.append(f"Lowered most by {lowered}.")
    if missing := [f"{m.member} ({m.absent.reason.value})" for m in asked if m.absent is not None]:
        sentences.append(f"Missing: {', '.join(missing)}.")
    sentences.append(f"{decision.action.value.capitalize()}: {decision.reason}.")
    return " ".join(sentences)


def _listed(members: Sequence[MemberAnswer]) -> str:
    return ", ".join(f"{member.member} ({member.contribution:+.3f})" for member in members[:_SHOWN])
