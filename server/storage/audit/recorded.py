# SPDX-License-Identifier: Apache-2.0
"""Sees that every stored prediction is as the log has it, in each of its columns."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from server.forecasting.errors import ConsilienceError
from server.storage.audit.chains import Chains
from server.storage.audit.entries import digest_of
from server.storage.audit.findings import Fault, Report
from server.storage.documents import decode
from server.storage.errors import StorageError
from server.storage.records import MemberRow, PredictionRow, Rows, rows_of
from server.storage.tables import member_forecasts, predictions

#: Predictions read at a time.
PAGE = 200
#: Columns that cannot be computed from the document.
_OWN = {"salt", "document"}

Members = dict[str, list[tuple[Any, ...]]]


def check_predictions(connection: Connection, chains: Chains, report: Report) -> None:
    """Compare every prediction with its entry, its columns with its document, and count."""
    present: set[str] = set()
    for page in _pages(connection):
        members = _members(connection, [row.id for row in page])
        for row in page:
            present.add(row.id)
            _check(row, members, chains, report)
    report.predictions = len(present)
    for prediction_id in chains.digests.keys() - present:
        if prediction_id in chains.erased:
            report.erased += 1
        else:
            report.add(Fault.MISSING, prediction_id, "the log has this prediction, the store has not")
    allowed = chains.older_predictions or 0
    if report.older_predictions > allowed:
        sentence = (
            f"{report.older_predictions} predictions claim to be older than the log, which found {allowed}"
        )
        report.add(Fault.UNLISTED, "predictions", sentence)


def _check(row: Row[Any], members: Members, chains: Chains, report: Report) -> None:
    digest = chains.digests.get(row.id)
    if digest is None:
        if row.salt is None:
            report.older_predictions += 1
            return
        report.add(Fault.UNLISTED, row.id, "the store has this prediction, the log has not")
    elif row.salt is None or digest_of(bytes(row.salt), row.document) != digest:
        report.add(Fault.ALTERED, row.id, "this prediction's document was changed")
        return
    _check_columns(row, members[row.id], report)


def _check_columns(row: Row[Any], members: Sequence[tuple[Any, ...]], report: Report) -> None:
    try:
        expected = rows_of(decode(row.document))
    except (StorageError, ConsilienceError) as error:
        report.add(Fault.ALTERED, row.id, f"this prediction's document cannot be read: {error}")
        return
    if differing := _differing(row, members, expected):
        report.add(Fault.ALTERED, row.id, f"does not agree with its document in: {', '.join(differing)}")


def _differing(row: Row[Any], members: Sequence[tuple[Any, ...]], expected: Rows) -> list[str]:
    fields = [name for name in PredictionRow._fields if name not in _OWN]
    found = [name for name in fields if getattr(row, name) != getattr(expected.prediction, name)]
    return found if list(members) == list(map(tuple, expected.members)) else [*found, "member_forecasts"]


def _pages(connection: Connection) -> Iterator[Sequence[Row[Any]]]:
    after = ""
    while True:
        query = select(predictions).where(predictions.c.id > after).order_by(predictions.c.id).limit(PAGE)
        page = connection.execute(query).all()
        yield page
        if len(page) < PAGE:
            return
        after = page[-1].id


def _members(connection: Connection, ids: Sequence[str]) -> Members:
    columns = [member_forecasts.c[name] for name in MemberRow._fields]
    query = select(*columns).where(member_forecasts.c.prediction_id.in_(ids))
    found: Members = defaultdict(list)
    for row in connection.execute(
        query.order_by(member_forecasts.c.prediction_id, member_forecasts.c.position)
    ):
        found[row.prediction_id].append(tuple(row))
    return found
