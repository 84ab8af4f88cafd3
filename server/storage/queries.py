# SPDX-License-Identifier: Apache-2.0
"""Reads documents; the keys of every query have an index."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, literal_column, select, tuple_

from server.storage.records import microseconds
from server.storage.tables import predictions

_columns = predictions.c

_BY_ID = select(_columns.document).where(_columns.id == bindparam("prediction_id"))
_OF_REQUEST = (
    _columns.caller == bindparam("of_caller"),
    _columns.request_id == bindparam("of_request"),
    _columns.request_id != literal_column("''"),  # spelt as in the index, or it is not used
)
_BY_REQUEST = select(_columns.document).where(*_OF_REQUEST)
_ID_BY_REQUEST = select(_columns.id).where(*_OF_REQUEST)


def document(connection: Connection, prediction_id: str) -> str | None:
    """The document with this id, or None."""
    return _one(connection, _BY_ID, prediction_id=prediction_id)


def document_of_request(connection: Connection, caller: str, request_id: str) -> str | None:
    """The document that answered this request, or None; an empty id is no request."""
    return _one(connection, _BY_REQUEST, of_caller=caller, of_request=request_id)


def is_answered(connection: Connection, caller: str, request_id: str) -> bool:
    """Whether the answer to this request is stored."""
    return _one(connection, _ID_BY_REQUEST, of_caller=caller, of_request=request_id) is not None


def page(
    limit: int,
    before: tuple[datetime, str] | None,
    question_id: str,
    start: datetime | None,
    end: datetime | None,
) -> Select[Any]:
    """Documents, newest first, created in [start, end) and strictly before the given one."""
    query = (
        select(_columns.document).order_by(_columns.create_time_us.desc(), _columns.id.desc()).limit(limit)
    )
    if before is not None:
        query = query.where(
            tuple_(_columns.create_time_us, _columns.id) < (microseconds(before[0]), before[1])
        )
    if question_id:
        query = query.where(_columns.question_id == question_id)
    if start is not None:
        query = query.where(_columns.create_time_us >= microseconds(start))
    if end is not None:
        query = query.where(_columns.create_time_us < microseconds(end))
    return query


def documents(connection: Connection, query: Select[Any]) -> Sequence[str]:
    """The documents of a page."""
    return connection.execute(query).scalars().all()


def _one(connection: Connection, query: Select[Any], **keys: str) -> str | None:
    found: str | None = connection.execute(query, keys).scalar_one_or_none()
    return found
