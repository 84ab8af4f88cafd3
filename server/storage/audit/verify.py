# SPDX-License-Identifier: Apache-2.0
"""Finds out whether anything in the audit log, or in what it lists, was changed later."""

from collections.abc import Collection

from sqlalchemy import Connection

from server.storage.audit.chains import Chains
from server.storage.audit.checkpoints import Checkpoint, kept
from server.storage.audit.findings import Fault, Report
from server.storage.audit.recorded import check_predictions
from server.storage.audit.resolved import check_outcomes
from server.storage.database import frozen


def verify(connection: Connection, trusted: Collection[str], anchored: Checkpoint | None = None) -> Report:
    """Look at everything in one reading transaction; servers may go on writing.

    ``trusted`` are the public keys that checkpoints may be signed with;
    ``anchored`` is a checkpoint that was kept elsewhere, whose key is trusted, too.
    """
    report = Report()
    keys = {*trusted, anchored.key} if anchored is not None else set(trusted)
    with frozen(connection):
        checkpoints = _named(connection, anchored)
        chains = Chains(connection, report, [found for _, found in checkpoints if found is not None])
        chains.check_links()
        for source, checkpoint in checkpoints:
            _check_one(checkpoint, source, chains, keys, report)
        report.checkpoints = len(checkpoints)
        check_predictions(connection, chains, report)
        check_outcomes(connection, chains, report)
    return report


def _named(connection: Connection, anchored: Checkpoint | None) -> list[tuple[str, Checkpoint | None]]:
    found = [(f"the checkpoint of {writer}", checkpoint) for writer, checkpoint in kept(connection)]
    return found if anchored is None else [*found, ("the given checkpoint", anchored)]


def _check_one(
    checkpoint: Checkpoint | None, source: str, chains: Chains, keys: Collection[str], report: Report
) -> None:
    if checkpoint is None:
        report.add(Fault.BAD_SIGNATURE, source, "it cannot be read")
    elif not checkpoint.holds:
        report.add(Fault.BAD_SIGNATURE, source, "its signature is not that of its statement")
    elif checkpoint.key not in keys:
        sentence = f"it is signed with the key {checkpoint.key}, which audit.trusted_keys does not name"
        report.add(Fault.UNKNOWN_KEY, source, sentence)
    else:
        chains.check_checkpoint(checkpoint, source)
