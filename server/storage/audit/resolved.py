# SPDX-License-Identifier: Apache-2.0
"""Sees that every outcome is as the log has it."""

from sqlalchemy import Connection, select

from server.storage.audit.chains import Chains
from server.storage.audit.findings import Fault, Report
from server.storage.outcomes.tables import outcomes


def check_outcomes(connection: Connection, chains: Chains, report: Report) -> None:
    """Compare every version of every outcome with its entry, and count."""
    listed = dict(chains.outcomes)
    for row in connection.execute(select(outcomes)).mappings():
        report.outcomes += 1
        place = row["question_id"], row["version"]
        where = f"{place[0]} version {place[1]}"
        entry = listed.pop(place, None)
        if entry is None:
            report.add(Fault.UNLISTED, where, "the store has this outcome, the log has not")
        elif entry != dict(row):
            report.add(Fault.ALTERED, where, "this outcome was changed")
    for question_id, version in listed:
        where = f"{question_id} version {version}"
        report.add(Fault.MISSING, where, "the log has this outcome, the store has not")
