# SPDX-License-Identifier: Apache-2.0
"""Who said what, as a table that fits the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from consilience import MemberAnswer, Prediction, Question
from server.cli import looks
from server.cli.scores import brier_score, member_scores, truth_of

_NARROW = 100


class AnswersTable:
    """One prediction in ``width`` columns: members by their probability, the absent last, then the pool."""

    def __init__(self, prediction: Prediction, question: Question | None, width: int) -> None:
        self._prediction = prediction
        self._truth = truth_of(question, prediction.outcomes)
        self._scores = member_scores(prediction, self._truth) if self._truth else {}
        self._shown = _shown_outcome(prediction)
        self._wide = width >= looks.WIDE
        self._narrow = width < _NARROW

    def render(self) -> Table:
        """The table."""
        rows = [self._row(part) for part in sorted(self._prediction.members, key=self._rank)]
        pool = [self._pool()] if self._prediction.probabilities else []
        table = self._empty([*rows, *pool])
        for row in rows:
            table.add_row(*row)
        table.add_section()
        for row in pool:
            table.add_row(*row, style="bold")
        return table

    def _empty(self, rows: Sequence[Sequence[str | Text]]) -> Table:
        """The columns: figures keep their width; where room is short, names and reasons wrap."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1) if self._narrow else (0, 1))
        table.add_column("Member", min_width=12, overflow="fold")
        if self._wide:
            table.add_column("Model", no_wrap=True, style="dim")
        table.add_column(self._heading(), min_width=self._cells() + 7, overflow="fold")
        figures = self._figures()
        for index, name in enumerate(figures, -len(figures)):
            least = max(len(name), *(len(row[index]) for row in rows), 0)
            table.add_column(name, justify="right", no_wrap=True, min_width=least)
        return table

    def _cells(self) -> int:
        return 6 if self._narrow else 12

    def _heading(self) -> str:
        prediction = self._prediction
        if prediction.numeric is not None:
            return "Median"
        return f"P({prediction.outcomes[self._shown]})" if prediction.outcomes else "Answer"

    def _figures(self) -> Sequence[str]:
        return ["Weight", "Moves it", *(["Brier"] if self._truth else []), "Latency", "Cost"]

    def _rank(self, part: MemberAnswer) -> float:
        if part.forecast is None:
            return 2.0
        probabilities = part.forecast.probabilities
        return -probabilities[self._shown] if len(probabilities) > self._shown else 1.0

    def _row(self, part: MemberAnswer) -> Sequence[str | Text]:
        model = [part.forecast.model if part.forecast else ""] if self._wide else []
        return [part.member, *model, *(self._absence(part) if part.absent else self._answer(part))]

    def _absence(self, part: MemberAnswer) -> Sequence[str | Text]:
        assert part.absent is not None  # noqa: S101 - the caller has asked
        why = f"{part.absent.reason}: {part.absent.detail}".rstrip(": ")
        blanks = [""] * (len(self._figures()) - 2)
        return [Text(why, "dim italic"), *blanks, looks.duration(part.latency_s), looks.money(part.cost)]

    def _answer(self, part: MemberAnswer) -> Sequence[str | Text]:
        score = self._scores.get(part.member)
        shown_score = looks.NOT_AVAILABLE if score is None else f"{score:.3f}"
        return [
            self._said(part),
            f"{part.weight:.1%}",
            looks.points(self._moved(part)),
            *([shown_score] if self._truth else []),
            looks.duration(part.latency_s),
            looks.money(part.cost),
        ]

    def _moved(self, part: MemberAnswer) -> float:
        """How far it moved the outcome that is shown; contributions are to the one that was chosen."""
        prediction = self._prediction
        other = len(prediction.outcomes) == 2 and prediction.outcomes[self._shown] != prediction.outcome
        return -part.contribution if other else part.contribution

    def _said(self, part: MemberAnswer) -> Text:
        assert part.forecast is not None  # noqa: S101 - the caller has asked
        prediction, probabilities = self._prediction, part.forecast.probabilities
        if prediction.numeric is not None:
            median = grid_median(prediction.numeric.grid, probabilities)
            return Text(f"{median} {prediction.numeric.unit}".strip())
        if part.forecast.text or len(probabilities) <= self._shown:
            return Text(part.forecast.text or looks.NOT_AVAILABLE)
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        agrees = prediction.outcomes[best] == prediction.outcome
        return self._bar(probabilities[self._shown], "green" if agrees else "magenta")

    def _bar(self, share: float, style: str = "") -> Text:
        return Text(f"{looks.bar(share, self._cells())} {share:6.1%}", style)

    def _pool(self) -> Sequence[str | Text]:
        prediction = self._prediction
        brier = [f"{brier_score(prediction.probabilities, self._truth):.3f}"] if self._truth else []
        return [
            "ensemble",
            *([prediction.method.pooling] if self._wide else []),
            self._bar(prediction.probabilities[self._shown]),
            "",
            "",
            *brier,
            looks.duration(prediction.elapsed_s),
            looks.money(prediction.cost),
        ]


def _shown_outcome(prediction: Prediction) -> int:
    """Which outcome the table shows: YES, or the one that was chosen."""
    if prediction.outcomes[:1] == ("YES",) or prediction.outcome not in prediction.outcomes:
        return 0
    return prediction.outcomes.index(prediction.outcome)


def grid_median(grid: Sequence[float], cumulative: Sequence[float]) -> str:
    """The first grid point at or above the median, as people write it."""
    for point, share in zip(grid, cumulative, strict=False):
        if share >= 0.5:
            return f"≤ {point:g}"
    return f"> {grid[-1]:g}" if grid else looks.NOT_AVAILABLE
