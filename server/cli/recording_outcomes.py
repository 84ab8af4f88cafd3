# SPDX-License-Identifier: Apache-2.0
"""Sends outcomes to the server, many at a time, and says what became of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consilience import Client, OutcomeResult, Resolution
from server.cli import looks
from server.cli.failures import Failure, friendly
from server.cli.plain import write_json

#: Resolutions in one call.
BATCH = 1_000
#: Scoring many forecasts takes a while.
TIMEOUT_S = 300.0
COLUMNS = ("question_id", "outcome", "fraction", "value", "annulled", "retracted", "known_time", "event_time")
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of all of them."""

    resolutions: int
    scored_forecasts: int
    refused: tuple[OutcomeResult, ...]


def record_one(
    question_id: str,
    outcome: str,
    fraction: float | None,
    value: float | None,
    annulled: bool,
    retracted: bool,
    known: str,
    server: str,
    as_json: bool,
) -> None:
    """One resolution from the command line.

    Raises:
        Failure: it does not say exactly one thing, or it was refused.
    """
    said = (bool(outcome), fraction is not None, value is not None, annulled, retracted)
    if sum(said) != 1:
        raise Failure(
            "say one thing: OUTCOME, --fraction, --value, --annulled or --retracted",
            "for example: consilience outcomes record QUESTION_ID YES",
            as_json,
        )
    resolution = Resolution(
        question_id,
        outcome or None,
        fraction,
        value,
        annulled,
        retracted,
        known_time=_instant(known, "--known"),
    )
    _show(_send([resolution], server, as_json), as_json)


def record_file(file: Path, server: str, as_json: bool) -> None:
    """All resolutions of a file.

    Raises:
        Failure: the file cannot be read or does not fit; nothing of it was sent.
    """
    _show(_send(list(_resolutions(file)), server, as_json), as_json)


def record_catalogue(until: str, server: str, as_json: bool) -> None:
    """All resolutions that the server's catalogue knows."""
    end = _instant(until, "--until")
    with friendly(server, as_json), Client(server) as client:
        found = [
            question.resolution
            for question in client.questions()
            if question.resolution is not None
            and (end is None or (question.resolution.known_time or end) <= end)
        ]
    # The catalogue's versions are its own; the server numbers what it records.
    news = [
        Resolution(each.question_id, each.outcome, each.fraction, each.value, known_time=each.known_time)
        for each in found
    ]
    _show(_send(news, server, as_json), as_json)


def _send(resolutions: Sequence[Resolution], server: str, as_json: bool) -> Tally:
    results: list[OutcomeResult] = []
    with friendly(server, as_json), Client(server) as client:
        for start in range(0, len(resolutions), BATCH):
            batch = resolutions[start : start + BATCH]
            results += client.admin.record_outcomes(batch, timeout_s=TIMEOUT_S)
    refused = tuple(each for each in results if each.error)
    return Tally(len(results), sum(each.scored_forecasts for each in results), refused)


def _show(tally: Tally, as_json: bool) -> None:
    if as_json:
        write_json(tally)
    else:
        taken = tally.resolutions - len(tally.refused)
        outcomes = looks.counted(taken, "outcome")
        forecasts = looks.counted(tally.scored_forecasts, "forecast")
        looks.console().print(f"{outcomes} recorded, {forecasts} scored")
    if tally.refused:
        first = "; ".join(f"{each.question_id}: {each.error}" for each in tally.refused[:SHOWN])
        raise Failure(f"{len(tally.refused):,} of {tally.resolutions:,} outcomes were refused: {first}")


def _resolutions(file: Path) -> Iterator[Resolution]:
    import polars as pl

    try:
        frame = pl.read_csv(file) if file.suffix == ".csv" else pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Failure(
            f"{file} cannot be read: {error}", "it must be Parquet, or CSV with a header"
        ) from error
    unknown = sorted(set(frame.columns) - {*COLUMNS, "version"})
    if "question_id" not in frame.columns or unknown:
        wrong = f"has a column {unknown[0]!r} that is not known" if unknown else "has no column question_id"
        raise Failure(f"{file} {wrong}", f"columns: {', '.join(COLUMNS)}, version")
    for number, row in enumerate(frame.iter_rows(named=True), 1):
        yield _resolution(row, f"{file}, row {number}")


def _resolution(row: dict[str, Any], at: str) -> Resolution:
    said: dict[str, Any] = {
        name: row[name] for name in ("outcome", "fraction", "value") if row.get(name) is not None
    }
    flags = {name: bool(row.get(name)) for name in ("annulled", "retracted")}
    if len(said) + sum(flags.values()) != 1:
        raise Failure(f"{at}: says {len(said) + sum(flags.values())} things; it must say one")
    return Resolution(
        str(row["question_id"]),
        str(said["outcome"]) if "outcome" in said else None,
        float(said["fraction"]) if "fraction" in said else None,
        float(said["value"]) if "value" in said else None,
        **flags,
        event_time=_instant(row.get("event_time"), f"{at}: event_time"),
        known_time=_instant(row.get("known_time"), f"{at}: known_time"),
        version=int(row.get("version") or 0),
    )


def _instant(value: object, at: str) -> datetime | None:
    """An instant; a date stands for its first, and a time without a zone is UTC."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        found = value
    else:
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError as error:
            raise Failure(f"{at}: {value!r} is no time; write 2026-11-21 or 2026-11-21T12:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
