# SPDX-License-Identifier: Apache-2.0
"""A prediction as a table that a person reads from top to bottom."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from consilience import MemberAnswer, Prediction, Question
from server.cli import looks
from server.cli.scores import brier_score, member_scores, truth_of


def show_prediction(
    console: Console, prediction: Prediction, question: Question | None, reasons: bool
) -> None:
    """Print everything: the question, who said what, the pool, the verdict, what came true."""
    if question is not None:
        console.print(heading(question))
    console.print(members_table(prediction, question, wide=console.width >= looks.WIDE))
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
    return Group(
        Text(question.text or question.id, "bold"),
        Text(" · ".join(part for part in parts if part), "dim"),
    )


def members_table(prediction: Prediction, question: Question | None, *, wide: bool) -> Table:
    """Members by their probability, the absent ones last, then the pool."""
    truth = truth_of(question, prediction.outcomes)
    scores = member_scores(prediction, truth) if truth else {}
    column = _column(prediction)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Member", no_wrap=True)
    if wide:
        table.add_column("Model", no_wrap=True, style="dim")
    table.add_column(_column_name(prediction), no_wrap=True)
    for name in ("Weight", "Moves it", *(["Brier"] if truth else []), "Latency", "Cost"):
        table.add_column(name, justify="right", no_wrap=True)
    ordered = sorted(prediction.members, key=lambda part: -_value(part, column))
    for part in ordered:
        cells = [part.member, *([part.forecast.model if part.forecast else ""] if wide else [])]
        table.add_row(*cells, *_figures(part, prediction, column, scores if truth else None))
    table.add_section()
    if prediction.probabilities:
        pooled = prediction.probabilities[column]
        table.add_row(
            "ensemble",
            *([prediction.method.pooling] if wide else []),
            Text(f"{looks.bar(pooled)} {pooled:6.1%}"),
            "",
            "",
            *([f"{brier_score(prediction.probabilities, truth):.3f}"] if truth else []),
            looks.duration(prediction.elapsed_s),
            looks.money(prediction.cost),
            style="bold",
        )
    return table


def _column(prediction: Prediction) -> int:
    """Which outcome the table shows: YES, or the one that was chosen."""
    if prediction.outcomes[:1] == ("YES",) or prediction.outcome not in prediction.outcomes:
        return 0
    return prediction.outcomes.index(prediction.outcome)


def _column_name(prediction: Prediction) -> str:
    if prediction.numeric is not None:
        return "Median"
    column = _column(prediction)
    return f"P({prediction.outcomes[column]})" if prediction.outcomes else "Answer"


def _value(part: MemberAnswer, column: int) -> float:
    if part.forecast is None:
        return -2.0
    return part.forecast.probabilities[column] if len(part.forecast.probabilities) > column else -1.0


def _figures(
    part: MemberAnswer, prediction: Prediction, column: int, scores: dict[str, float] | None
) -> Sequence[RenderableType]:
    if part.absent is not None:
        why = Text(
            f"{part.absent.reason}: {part.absent.detail}".rstrip(": "), "dim italic", overflow="ellipsis"
        )
        blanks = [""] * (3 if scores is not None else 2)
        return [why, *blanks, looks.duration(part.latency_s), looks.money(part.cost)]
    score = [] if scores is None else [_score(scores.get(part.member))]
    return [
        _answer(part, prediction, column),
        f"{part.weight:.1%}",
        looks.points(part.contribution),
        *score,
        looks.duration(part.latency_s),
        looks.money(part.cost),
    ]


def _score(score: float | None) -> str:
    return looks.NOT_AVAILABLE if score is None else f"{score:.3f}"


def _answer(part: MemberAnswer, prediction: Prediction, column: int) -> Text:
    assert part.forecast is not None  # noqa: S101 - the caller has asked
    probabilities = part.forecast.probabilities
    if prediction.numeric is not None:
        median = grid_median(prediction.numeric.grid, probabilities)
        return Text(f"{median} {prediction.numeric.unit}".strip())
    if part.forecast.text or len(probabilities) <= column:
        return Text(part.forecast.text or looks.NOT_AVAILABLE)
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    agrees = prediction.outcomes[best] == prediction.outcome
    share = probabilities[column]
    return Text(f"{looks.bar(share)} {share:6.1%}", "green" if agrees else "magenta")


def grid_median(grid: Sequence[float], cumulative: Sequence[float]) -> str:
    """The first grid point at or above the median, as people write it."""
    for point, share in zip(grid, cumulative, strict=False):
        if share >= 0.5:
            return f"≤ {point:g}"
    return f"> {grid[-1]:g}" if grid else looks.NOT_AVAILABLE


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
