# SPDX-License-Identifier: Apache-2.0
"""Looks at the audit log in the database itself, without a server."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import typer
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.text import Text

from server.cli.failures import FAILED, Failure
from server.cli.looks import console, counted
from server.cli.plain import write_json
from server.cli.transcript_view import show_transcript
from server.config import DEFAULT_FILE, ConfigError, load
from server.forecasting.errors import UnreadableError
from server.storage.audit.auditor import Auditor
from server.storage.audit.findings import Report
from server.storage.errors import StorageError

Result = TypeVar("Result")


def run_verify(config: Path | None, checkpoint: Path | None, as_json: bool) -> None:
    """Verify, say what was found, and exit 1 where anything is wrong."""
    anchored = None if checkpoint is None else _text_of(checkpoint, as_json)
    report = _run(config, as_json, partial(Auditor.verify, anchored=anchored))
    if as_json:
        write_json({"holds": report.holds, **asdict(report)})
    else:
        _show(console(), report)
    if not report.holds:
        raise typer.Exit(FAILED)


def run_checkpoint(config: Path | None, as_json: bool) -> None:
    """One signed line on standard output."""
    sys.stdout.write(_run(config, as_json, Auditor.checkpoint) + "\n")


def _run(config: Path | None, as_json: bool, work: Callable[[Auditor], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        settings = load(config or DEFAULT_FILE)
        async with Auditor(settings.storage, settings.audit) as auditor:
            return await work(auditor)

    try:
        return asyncio.run(run())
    except (ConfigError, StorageError, UnreadableError, OSError) as error:
        raise Failure(str(error), as_json=as_json) from error


def run_transcript(config: Path | None, prediction_id: str, as_json: bool) -> None:
    """Every call of one prediction: what was sent, what came back."""
    record = _run(config, as_json, partial(Auditor.record, prediction_id=prediction_id))
    if record is None:
        raise Failure(f"there is no stored prediction {prediction_id!r}", as_json=as_json)
    prediction = record.prediction
    if as_json:
        texts = {"prompts": prediction.prompts, "attempts": prediction.attempts}
        write_json({"prediction_id": prediction.id, **_plain(texts)})
    else:
        show_transcript(console(), prediction)


def _plain(texts: object) -> dict[str, Any]:
    plain: dict[str, Any] = to_jsonable_python(texts)
    return plain


def _text_of(path: Path, as_json: bool) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path} cannot be read: {error}", as_json=as_json) from error


def _show(out: Console, report: Report) -> None:
    entries, writers = counted(report.entries, "entry", "entries"), counted(report.writers, "writer")
    counts = [
        f"{entries} of {writers}",
        counted(report.checkpoints, "checkpoint"),
        counted(report.predictions, "prediction"),
        f"{report.erased:,} erased",
        counted(report.outcomes, "outcome"),
    ]
    if report.older_predictions:
        counts.append(f"{report.older_predictions:,} older than the log")
    for finding in report.findings:
        head = (finding.fault.upper(), "bold red")
        out.print(Text.assemble(head, f" {finding.where}: {finding.sentence}"))
    found = counted(len(report.findings), "finding").upper()
    verdict = ("HOLDS", "bold green") if report.holds else (found, "bold red")
    out.print(Text.assemble(verdict, f" {', '.join(counts)}"))
