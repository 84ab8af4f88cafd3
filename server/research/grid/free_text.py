# SPDX-License-Identifier: Apache-2.0
"""Free-text questions with known answers: files of one's own, or groups of recorded yes/no forecasts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.forecasting.ports import Identity
from server.forecasting.query import Query
from server.forecasting.question import FreeText, Normalization, Question
from server.learning.context import Context
from server.research.errors import ResearchError
from server.research.grid.dataset import Case, DataSet
from server.research.grid.recorded_data import FORECASTS, sha256

QUESTIONS, ANSWERS = "text_questions", "text_answers"
_QUESTION_COLUMNS = ("question_id", "question", "answer", "asked_date", "known_date")
_ANSWER_COLUMNS = ("question_id", "member", "text")
#: What a group of yes/no forecasts is asked as.
TOPIC = "matches"


class RecordedText:
    """Answers with the text that was recorded, by question id."""

    identity = Identity("recorded")

    def __init__(self, said: dict[str, tuple[str, float | None]]) -> None:
        self._said = said

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """The text and the member's own confidence in it; absent where nothing was recorded."""
        del deadline
        found = self._said.get(query.question.id)
        if found is None:
            return Absent(AbsentReason.NOT_APPLICABLE, "was not recorded on this question")
        text, confidence = found
        return Forecast((), self_confidence=confidence, text=text, raw=text, recorded=True)

    async def close(self) -> None:
        """Nothing is open."""


def read_answers_data(folder: Path) -> DataSet:
    """Your own questions and answers: ``text_questions`` and ``text_answers``, CSV or Parquet.

    Raises:
        ResearchError: a file or column is missing, or a value does not fit.
    """
    questions_file, answers_file = (_found(folder, stem) for stem in (QUESTIONS, ANSWERS))
    questions = _read(questions_file, _QUESTION_COLUMNS)
    answers = _read(answers_file, _ANSWER_COLUMNS)
    said: dict[str, dict[str, tuple[str, float | None]]] = {}
    for row in answers.iter_rows(named=True):
        confidence = row.get("confidence")
        if confidence is not None and not 0.0 <= float(confidence) <= 1.0:
            raise ResearchError(answers_file, "confidence", f"must lie in 0..1, but is {confidence}")
        own = said.setdefault(str(row["member"]), {})
        own[str(row["question_id"])] = (str(row["text"]), None if confidence is None else float(confidence))
    cases = [_case(questions_file, row) for row in questions.iter_rows(named=True)]
    return _data(folder.name, cases, said, [questions_file, answers_file])


def read_matches_data(folder: Path) -> DataSet:
    """Groups of recorded yes/no questions of which exactly one came true, asked as "which one?".

    A member's text is the part that it finds most probable, its confidence that
    part's share of what it gave to all parts. A group that a member did not answer
    whole is not answered by it.

    Raises:
        ResearchError: a file is missing, or has no such groups.
    """
    questions_file, forecasts_file = folder / "questions.parquet", folder / FORECASTS
    groups = _read(questions_file, ("question_id", "question", "exclusive_group")).drop_nulls(
        "exclusive_group"
    )
    rows = _read(forecasts_file, ("question_id", "model", "prob", "outcome")).join(
        groups.select("question_id", "question", "exclusive_group"), on="question_id"
    )
    if not rows.height:
        raise ResearchError(questions_file, "exclusive_group", "names no group of questions")
    said: dict[str, dict[str, tuple[str, float | None]]] = {}
    cases = []
    for (group,), parts in rows.sort("question_id", "model").group_by("exclusive_group", maintain_order=True):
        name = str(group)
        each = parts.unique("question_id", keep="first", maintain_order=True)
        cases.append(_group(name, each))
        for (model,), own in parts.group_by("model", maintain_order=True):
            total = float(own["prob"].sum())
            if own.height == each.height and total > 0.0:
                best = own.sort("prob", descending=True, maintain_order=True).row(0, named=True)
                said.setdefault(str(model), {})[name] = (_part(best), float(best["prob"]) / total)
    return _data(f"{folder.name}-{TOPIC}", cases, said, [questions_file, forecasts_file])


def _group(name: str, parts: pl.DataFrame) -> Case:
    first = parts.row(0, named=True)
    texts = "; ".join(f"{_part(row)}: {row['question']}" for row in parts.iter_rows(named=True))
    right = [_part(row) for row in parts.iter_rows(named=True) if row["outcome"] == 1]
    return Case(
        question=Question(
            name, f"Which one of these will be true? {texts}", FreeText(), source=first["source"]
        ),
        panel=TOPIC,
        truth=right[0] if len(right) == 1 else "",
        as_of=_instant(str(first["forecast_due_date"])),
        known_at=_instant(str(first["resolution_date"])) + timedelta(days=1),
        cluster=name,
        context=Context(kind=first["question_type"], source=first["source"]),
    )


def _part(row: dict[str, Any]) -> str:
    return str(row["question_id"]).rpartition(":")[2]


def _case(path: Path, row: dict[str, Any]) -> Case:
    name = str(row["question_id"])
    kind = str(row.get("normalization") or Normalization.LOWERCASE_TRIM)
    if kind not in set(Normalization):
        raise ResearchError(path, "normalization", f"{kind!r} is not one of: {', '.join(Normalization)}")
    category, source = str(row.get("category") or ""), str(row.get("source") or "")
    try:
        asked, known = (_instant(str(row[column])) for column in ("asked_date", "known_date"))
    except ValueError as error:
        raise ResearchError(path, "asked_date, known_date", f"{error}; write YYYY-MM-DD") from error
    if known <= asked:
        raise ResearchError(path, "known_date", f"must be after asked_date in question {name!r}")
    return Case(
        question=Question(
            name, str(row["question"]), FreeText(Normalization(kind)), category=category, source=source
        ),
        panel="answers",
        truth=str(row["answer"]),
        as_of=asked,
        known_at=known,
        cluster=str(row.get("cluster") or name),
        context=Context(kind="text", source=source, category=category),
    )


def _data(
    name: str,
    cases: Sequence[Case],
    said: dict[str, dict[str, tuple[str, float | None]]],
    files: Sequence[Path],
) -> DataSet:
    return DataSet(
        name=name,
        cases=tuple(sorted(cases, key=lambda case: (case.as_of, case.question.id))),
        panels={cases[0].panel: tuple(sorted(said))},
        forecasters={member: RecordedText(own) for member, own in said.items()},
        sources={path.name: sha256(path) for path in files},
    )


def _found(folder: Path, stem: str) -> Path:
    for suffix in (".parquet", ".csv"):
        if (folder / f"{stem}{suffix}").is_file():
            return folder / f"{stem}{suffix}"
    raise ResearchError(folder / f"{stem}.csv", "", "no such file, nor one that ends in .parquet")


def _read(path: Path, wanted: Sequence[str]) -> pl.DataFrame:
    try:
        rows = pl.read_csv(path, infer_schema_length=None) if path.suffix == ".csv" else pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ResearchError(path, "", f"cannot be read: {error}") from error
    for name in wanted:
        if name not in rows.columns:
            raise ResearchError(path, name, "no such column; docs/research.md lists them")
    if not rows.height:
        raise ResearchError(path, "", "has no rows")
    return rows


def _instant(date: str) -> datetime:
    return datetime.strptime(date[:10], "%Y-%m-%d").replace(tzinfo=UTC)
