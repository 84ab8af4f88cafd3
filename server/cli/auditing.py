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

from server.cli.failures import FAILED, Failure
from server.cli.looks import console
from server.cli.plain import write_json
from server.cli.transcript_view import show_transcript
from server.config import DEFAULT_FILE, ConfigError, load
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
    except (ConfigError, StorageError, OSError) as error:
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
    counts = (
        f"{report.entries} entries of {report.writers} writers, {report.checkpoints} checkpoints, "
        f"{report.predictions} predictions, {report.erased} erased, {report.outcomes} outcomes"
    )
    older = f", {report.older_predictions} older than the log" if report.older_predictions else ""
    for finding in report.findings:
        out.print(f"[bold red]{finding.fault.upper()}[/] {finding.where}: {finding.sentence}")
    verdict = "[bold green]HOLDS[/]" if report.holds else f"[bold red]{len(report.findings)} FINDINGS[/]"
    out.print(f"{verdict} {counts}{older}")
