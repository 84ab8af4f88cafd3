# SPDX-License-Identifier: Apache-2.0
"""Claims on requests: one process at a time works on a request, and none pays twice for an answer in hand."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from server.forecasting.money import Payer
from server.storage.ledger.book import Book
from server.storage.ledger.entries import Claim, Finish, Keep
from server.storage.ledger.owners import lives
from server.storage.ledger.rows import Rows
from server.storage.ledger.tables import request_answers, requests
from server.storage.queries import is_answered

#: Answers by member, as JSON.
Answers = dict[str, str]

_same = (requests.c.caller == bindparam("of_caller"), requests.c.request_id == bindparam("of_request"))
_answered = (
    request_answers.c.caller == bindparam("of_caller"),
    request_answers.c.request_id == bindparam("of_request"),
)
_mine = (*_same, requests.c.prediction_id == bindparam("of_prediction"))
_FIND = select(requests.c.owner, requests.c.prediction_id).where(*_same)
_TAKE = update(requests).where(*_same).values(
    owner=bindparam("me"), prediction_id=bindparam("prediction"), time_us=bindparam("now")
)  # fmt: skip
_ANSWERS = select(request_answers.c.member, request_answers.c.answer).where(*_answered)
_REPLACE = delete(request_answers).where(*_answered, request_answers.c.member == bindparam("of_member"))
_FREE = update(requests).where(*_mine).values(owner="")
_DONE = delete(requests).where(*_mine)
_KEPT = Rows(request_answers, ("caller", "request_id", "member", "answer"))
_STILL_MINE = select(requests.c.owner).where(*_mine)


def claim(book: Book, claim: Claim) -> Answers | None:
    """Take a request; None: a living process has it, or it is answered.

    The answers are those of an earlier attempt.
    """
    payer, connection = claim.payer, book.connection
    keys = _keys(payer)
    row = connection.execute(_FIND, keys).first()
    again = row is not None and row.prediction_id == payer.ticket
    # After the look at the row: whoever had the request stored the answer before it let go.
    if not again and is_answered(connection, payer.caller, payer.request_id):
        return None
    if row is None:
        _insert(book, payer)
        return {}
    if row.owner and not again and (row.owner == book.owner or lives(connection, row.owner, book.now_us)):
        return None
    taken = {**keys, "me": book.owner, "prediction": payer.ticket, "now": book.now_us}
    connection.execute(_TAKE, taken)
    found = connection.execute(_ANSWERS, keys).all()
    return {answer.member: answer.answer for answer in found}


def keep(book: Book, keeps: Iterable[Keep]) -> None:
    """Remember answers, as long as their requests are their predictions'."""
    connection, mine = book.connection, dict[str, bool]()
    rows = {}
    for each in keeps:
        payer = each.payer
        if payer.ticket not in mine:
            mine[payer.ticket] = connection.execute(_STILL_MINE, _own_keys(payer)).first() is not None
        if mine[payer.ticket]:
            rows[payer.caller, payer.request_id, each.member] = each.answer
    if rows:
        names = ("of_caller", "of_request", "of_member")
        connection.execute(_REPLACE, [dict(zip(names, key, strict=True)) for key in rows])
        _KEPT.insert(connection, [(*key, answer) for key, answer in rows.items()])


def finish(book: Book, finish: Finish) -> None:
    """Forget the request where its answer is stored; else let the next attempt have it."""
    statement = _DONE if finish.recorded else _FREE
    book.connection.execute(statement, _own_keys(finish.payer))


def _insert(book: Book, payer: Payer) -> None:
    row = {
        "caller": payer.caller,
        "request_id": payer.request_id,
        "owner": book.owner,
        "prediction_id": payer.ticket,
        "time_us": book.now_us,
    }
    book.connection.execute(insert(requests), [row])


def _keys(payer: Payer) -> dict[str, Any]:
    return {"of_caller": payer.caller, "of_request": payer.request_id}


def _own_keys(payer: Payer) -> dict[str, Any]:
    return {**_keys(payer), "of_prediction": payer.ticket}
