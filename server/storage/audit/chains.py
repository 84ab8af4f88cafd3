# SPDX-License-Identifier: Apache-2.0
"""Walks every chain and sees that it hangs together."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Row, and_, select, tuple_

from server.storage.audit.checkpoints import Checkpoint
from server.storage.audit.entries import ERASURE, GENESIS, OUTCOME, PREDICTION, START, digest_of, hash_of
from server.storage.audit.findings import Fault, Report
from server.storage.audit.tables import audit_contents, audit_entries
from server.storage.audit.trail import Head

#: Rows read at a time.
PAGE = 1_000

_entries, _contents = audit_entries.c, audit_contents.c
_QUERY = select(audit_entries, _contents.salt, _contents.content).join_from(
    audit_entries,
    audit_contents,
    and_(_contents.writer == _entries.writer, _contents.number == _entries.number),
    isouter=True,
)


class Chains:
    """All chains, walked once.

    ``heads`` are their last entries, ``digests`` every digest listed for a
    prediction, ``erased`` the predictions that an entry says were erased,
    ``outcomes`` the rows of outcomes by question and version.
    """

    def __init__(self, connection: Connection, report: Report, checkpoints: Iterable[Checkpoint]) -> None:
        self._report = report
        self.heads: dict[str, Head] = {}
        self.digests: dict[str, bytes] = {}
        self.erased: set[str] = set()
        self.outcomes: dict[tuple[str, int], dict[str, Any]] = {}
        self.older_predictions: int | None = None
        self._links: list[tuple[str, str, Head]] = []
        self._hashes: dict[tuple[str, int], bytes] = {}
        self._wanted = {place for checkpoint in checkpoints for place in _places(checkpoint.heads)}
        self._wanted |= {place for heads in _covered(connection) for place in _places(heads)}
        for row in _rows(connection):
            self._follow(row)
        report.writers, report.entries = len(self.heads), sum(head.number for head in self.heads.values())

    def _follow(self, row: Row[Any]) -> None:
        before = self.heads.get(row.writer, Head(0, GENESIS))
        where = f"{row.writer}/{row.number}"
        if row.number != before.number + 1:
            gap = f"{before.number + 1}..{row.number - 1}"
            self._report.add(Fault.MISSING, where, f"entries {gap} before it are not there")
        elif not _fits(before, row):
            sentence = "does not follow from the entry before it: altered, moved or put in"
            self._report.add(Fault.ALTERED, where, sentence)
        self.heads[row.writer] = Head(row.number, bytes(row.hash))
        if (row.writer, row.number) in self._wanted:
            self._hashes[row.writer, row.number] = bytes(row.hash)
        self._look_inside(row, where)

    def _look_inside(self, row: Row[Any], where: str) -> None:
        if row.kind == PREDICTION:
            self.digests[row.subject] = bytes(row.digest)
        elif row.content is None:
            self._report.add(Fault.MISSING, where, f"what this {row.kind!r} entry is about is not there")
        elif digest_of(bytes(row.salt), row.content) != bytes(row.digest):
            self._report.add(Fault.ALTERED, where, f"what this {row.kind!r} entry is about was changed")
        else:
            self._take(row.writer, row.kind, json.loads(row.content))

    def _take(self, writer: str, kind: str, content: Mapping[str, Any]) -> None:
        if kind == ERASURE:
            self.erased.update(content["predictions"])
        elif kind == START:
            self._begin(writer, content)
        elif kind == OUTCOME:
            self.outcomes[content["question_id"], content["version"]] = dict(content)

    def _begin(self, writer: str, content: Mapping[str, Any]) -> None:
        self._links += [(writer, covered, head) for covered, head in heads_in(content).items()]
        older = content["older_predictions"]
        self.older_predictions = (
            older if self.older_predictions is None else min(self.older_predictions, older)
        )

    def check_links(self) -> None:
        """See that every chain is as the later ones found it."""
        for writer, covered, head in self._links:
            self.check_head(covered, head, f"the first entry of {writer}")

    def check_checkpoint(self, checkpoint: Checkpoint, source: str) -> None:
        """See that every chain of a checkpoint is as it was signed."""
        for writer, head in checkpoint.heads.items():
            self.check_head(writer, head, source)

    def check_head(self, writer: str, head: Head, source: str) -> None:
        """See that a chain has the entry that ``source`` saw."""
        where = f"{writer}/{head.number}"
        found = self._hashes.get((writer, head.number))
        length = self.heads[writer].number if writer in self.heads else 0
        if length < head.number:
            sentence = f"the chain ends at {length}, but {source} saw it go on to here"
            self._report.add(Fault.TRUNCATED, where, sentence)
        elif found is not None and found != head.hash:
            self._report.add(Fault.ALTERED, where, f"is not the entry that {source} saw")


def heads_in(content: Mapping[str, Any]) -> dict[str, Head]:
    """The heads that a statement or a first entry names."""
    return {
        writer: Head(number, bytes.fromhex(value)) for writer, (number, value) in content["heads"].items()
    }


def _places(heads: Mapping[str, Head]) -> Iterator[tuple[str, int]]:
    return ((writer, head.number) for writer, head in heads.items())


def _covered(connection: Connection) -> Iterator[dict[str, Head]]:
    """The heads that first entries name; one that cannot be read is found in the walk."""
    query = select(_contents.content).where(_contents.number == 1)
    for content in connection.execute(query).scalars():
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            yield heads_in(json.loads(content))


def _fits(before: Head, row: Row[Any]) -> bool:
    expected = hash_of(
        before.hash,
        row.writer,
        row.number,
        row.time_us,
        row.kind,
        row.subject,
        row.actor,
        bytes(row.digest),
    )
    return expected == bytes(row.hash)


def _rows(connection: Connection) -> Iterator[Row[Any]]:
    """All entries in order, a page at a time."""
    after = ("", 0)
    while True:
        query = _QUERY.where(tuple_(_entries.writer, _entries.number) > after)
        page = connection.execute(query.order_by(_entries.writer, _entries.number).limit(PAGE)).all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].writer, page[-1].number
