# SPDX-License-Identifier: Apache-2.0
"""A prediction as a table that a person reads from top to bottom."""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from consilience import Prediction, Question
from server.cli import looks
from server.cli.answers_table import AnswersTable
from server.cli.scores import brier_score, member_scores, truth_of


def show_prediction(
    console: Console, prediction: Prediction, question: Question | None, reasons: bool
) -> None:
    """Print everything: the question, who said what, the pool, the verdict, what came true."""
    if question is not None:
        console.print(heading(question))
    console.print(AnswersTable(prediction, question, console.width).render())
    console.print(summary(prediction, question))
    if reasons:
        console.print(rationales(prediction))


def heading(question: Question) -> RenderableType:
    """The question and where it comes from."""
    parts = [
        question.id,
        question.category,
        question.source,
        f"asked for {question.as_of_time:%Y-%m-%d}" if question.as_of_time else "",
        f"market {looks.percent(question.market_probability)}"
        if question.market_probability is not None
        else "",
    ]
    known = " · ".join(part for part in parts if part)
    title = Text(question.text or question.id, "bold")
    return Group(title, Text(known, "dim")) if known else title


def summary(prediction: Prediction, question: Question | None) -> RenderableType:
    """The answer, the verdict, the agreement, the outcome and the record."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("Answer", _headline(prediction))
    table.add_row("Decision", _decision(prediction))
    table.add_row("Agreement", looks.agreement_line(prediction.agreement))
    outcome = _outcome(prediction, question)
    if outcome is not None:
        table.add_row("Outcome", outcome)
    for warning in prediction.warnings:
        table.add_row("Warning", Text(warning, "yellow"))
    if prediction.explanation:
        table.add_row("Because", prediction.explanation)
    table.add_row("Record", Text(_record(prediction), "dim"))
    return Padding(table, (0, 0, 1, 0))


def _headline(prediction: Prediction) -> Text:
    if prediction.numeric is not None:
        number = prediction.numeric
        return Text(f"median {number.median:g} {number.unit}".rstrip(), "bold")
    if not prediction.outcome:
        return Text("none", "bold")
    text = Text(f"{prediction.outcome} {prediction.confidence:.1%}", "bold")
    if prediction.interval is not None:
        of = prediction.outcomes[0]
        text.append(f"   P({of}): {looks.range_of(prediction.interval)}", "not bold")
    return text


def _decision(prediction: Prediction) -> Text:
    decision = prediction.decision
    text = looks.action_text(decision.action)
    text.append(f"  size × {decision.size_multiplier:.2f}", "bold")
    return text.append(f"  {decision.reason}", "not bold default")


def _outcome(prediction: Prediction, question: Question | None) -> RenderableType | None:
    resolution = question.resolution if question else None
    if resolution is None:
        return None
    if resolution.annulled or resolution.retracted:
        return "annulled" if resolution.annulled else "retracted"
    known = f" (known since {resolution.known_time:%Y-%m-%d})" if resolution.known_time else ""
    truth = truth_of(question, prediction.outcomes)
    if truth is None or not prediction.probabilities:
        value = resolution.outcome if resolution.value is None else f"{resolution.value:g}"
        return f"{value}{known}"
    return _verdict(prediction, truth, known)


def _verdict(prediction: Prediction, truth: Sequence[float], known: str) -> Text:
    name = f"{truth[0]:.0%} {prediction.outcomes[0]}" if 0 < truth[0] < 1 else _true_name(prediction, truth)
    right = name == prediction.outcome
    text = Text.assemble((f"{name}{known}", "bold green" if right else "bold magenta"))
    scores = member_scores(prediction, truth)
    ours = brier_score(prediction.probabilities, truth)
    text.append(f"   Brier: ensemble {ours:.3f}")
    if scores:
        beaten = sum(score > ours for score in scores.values())
        best = min(scores, key=scores.__getitem__)
        text.append(f", members {min(scores.values()):.3f} ({best}) to {max(scores.values()):.3f}")
        text.append(f"; better than {beaten} of {len(scores)}")
    return text


def _true_name(prediction: Prediction, truth: Sequence[float]) -> str:
    return prediction.outcomes[max(range(len(truth)), key=truth.__getitem__)]


def _record(prediction: Prediction) -> str:
    kept = "on disk" if prediction.durable else "not on disk"
    cached = ", from a cache" if prediction.cached else ""
    return (
        f"{prediction.id} by {prediction.ensemble} ({prediction.method.pooling}), {kept}{cached},"
        f" answered in {looks.duration(prediction.elapsed_s)}"
    )


def rationales(prediction: Prediction) -> RenderableType:
    """Each member's reasons in its own words."""
    lines: list[RenderableType] = []
    for part in prediction.members:
        if part.forecast is not None and part.forecast.rationale:
            lines += [Text(part.member, "bold"), Padding(Text(part.forecast.rationale), (0, 0, 1, 2))]
    return Group(*lines)
