# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501, S608 - the statements are written here
"""Whoever changes the database behind the server's back is found out."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from server.forecasting.question import Resolution
from server.storage.audit.checkpoints import Checkpoint, parsed, signed, whole
from server.storage.audit.erasure import Eraser
from server.storage.audit.findings import Fault, Report
from server.storage.audit.keys import KeyReference, SigningKey
from server.storage.audit.log import SqlAuditLog
from server.storage.audit.verify import verify
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore
from tests.storage.conftest import Opener
from tests.storage.samples import NOON, record


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return KeyReference("", StorageSettings(url=f"sqlite:///{tmp_path}/p.db")).open()


async def run(store: SqlPredictionStore, *statements: str) -> None:
    def work(connection: Connection) -> None:
        with connection.begin():
            for statement in statements:
                connection.execute(text(statement))

    await store.database.write(work)


async def verified(store: SqlPredictionStore, key: SigningKey, anchored: Checkpoint | None = None) -> Report:
    return await store.database.read(partial(verify, trusted=[key.public], anchored=anchored))


async def anchor(store: SqlPredictionStore, key: SigningKey) -> Checkpoint:
    made = await store.database.read(partial(whole, key=key))
    return parsed(made.text)


async def filled(store: SqlPredictionStore, count: int = 5) -> None:
    for number in range(count):
        await store.save(record(f"p-{number}"))


def faults(report: Report) -> list[tuple[Fault, str]]:
    return [(finding.fault, finding.where) for finding in report.findings]


def log_of(store: SqlPredictionStore, settings: StorageSettings, every_s: float = 3_600.0) -> SqlAuditLog:
    return SqlAuditLog(store.database, store.trail, KeyReference("", settings), every_s)


async def test_an_untouched_log_holds(store: SqlPredictionStore, key: SigningKey) -> None:
    await filled(store)
    report = await verified(store, key, await anchor(store, key))
    assert report.findings == []
    assert (report.writers, report.entries, report.predictions, report.checkpoints) == (1, 6, 5, 1)


async def test_an_empty_log_holds(store: SqlPredictionStore, key: SigningKey) -> None:
    assert (await verified(store, key)).holds


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit_entries SET time_us = time_us + 1 WHERE number = 3", Fault.ALTERED),
        ("UPDATE audit_entries SET subject = 'p-9' WHERE number = 3", Fault.ALTERED),
        ("UPDATE audit_entries SET actor = 'mallory' WHERE number = 3", Fault.ALTERED),
        ("UPDATE audit_entries SET kind = 'change' WHERE number = 3", Fault.ALTERED),
        ("DELETE FROM audit_entries WHERE number = 3", Fault.MISSING),
        ("DELETE FROM audit_contents WHERE number = 1", Fault.MISSING),
        ("UPDATE audit_contents SET content = '{}' WHERE number = 1", Fault.ALTERED),
        ("UPDATE predictions SET document = replace(document, 'macro', 'micro') WHERE id = 'p-1'", Fault.ALTERED),
        ("UPDATE predictions SET caller = 'mallory' WHERE id = 'p-1'", Fault.ALTERED),
        ("UPDATE predictions SET cost_nano_usd = 1 WHERE id = 'p-1'", Fault.ALTERED),
        ("UPDATE predictions SET salt = NULL WHERE id = 'p-1'", Fault.ALTERED),
        ("UPDATE member_forecasts SET raw_weight = 9 WHERE prediction_id = 'p-1'", Fault.ALTERED),
        ("DELETE FROM member_forecasts WHERE prediction_id = 'p-1' AND position = 2", Fault.ALTERED),
        ("DELETE FROM predictions WHERE id = 'p-1'", Fault.MISSING),
        ("UPDATE predictions SET id = 'p-7' WHERE id = 'p-1'", Fault.MISSING),
    ],
)  # fmt: skip
async def test_one_statement_is_found(
    store: SqlPredictionStore, key: SigningKey, statement: str, fault: Fault
) -> None:
    await filled(store)
    await run(
        store,
        "DELETE FROM member_forecasts WHERE prediction_id = 'p-1'" if "'p-7'" in statement else "SELECT 1",
    )
    await run(store, statement)
    assert fault in [finding.fault for finding in (await verified(store, key)).findings]


async def test_entries_in_another_order_are_found(store: SqlPredictionStore, key: SigningKey) -> None:
    await filled(store)
    moves = ("number = 99 WHERE number = 3", "number = 3 WHERE number = 4", "number = 4 WHERE number = 99")
    await run(store, *(f"UPDATE audit_entries SET {move}" for move in moves))
    report = await verified(store, key)
    writer = store.trail.writer
    assert set(faults(report)) >= {(Fault.ALTERED, f"{writer}/3"), (Fault.ALTERED, f"{writer}/4")}


async def test_a_prediction_put_in_later_is_found(store: SqlPredictionStore, key: SigningKey) -> None:
    await filled(store)
    await run(store, "DELETE FROM audit_entries WHERE number = 6")  # as if p-4 had never been listed
    assert (Fault.UNLISTED, "p-4") in faults(await verified(store, key))
    await run(store, "UPDATE predictions SET salt = NULL WHERE id = 'p-4'")
    assert (Fault.UNLISTED, "predictions") in faults(await verified(store, key))


async def test_a_cut_tail_is_found_by_a_checkpoint(store: SqlPredictionStore, key: SigningKey) -> None:
    await filled(store)
    anchored = await anchor(store, key)
    await run(store, "DELETE FROM audit_entries WHERE number > 4", "DELETE FROM predictions WHERE id > 'p-2'")
    assert (await verified(store, key)).holds  # nothing in the database knows of it any more
    report = await verified(store, key, anchored)
    assert faults(report) == [(Fault.TRUNCATED, f"{store.trail.writer}/6")]


async def test_a_chain_made_anew_is_found_by_a_checkpoint(
    opener: Opener, settings: StorageSettings, key: SigningKey
) -> None:
    store = await opener(settings)
    await filled(store)
    log = log_of(store, settings)
    anchored = await anchor(store, key)
    tables = ("audit_entries", "audit_contents", "audit_writers", "member_forecasts", "predictions")
    await run(store, *(f"DELETE FROM {table}" for table in tables))
    await log.close()
    await store.close()
    forged = await opener(settings)
    await filled(forged)
    report = await verified(forged, key, anchored)
    assert Fault.TRUNCATED in [finding.fault for finding in report.findings]


async def test_a_whole_chain_that_is_gone_is_found_by_the_next(
    opener: Opener, settings: StorageSettings, key: SigningKey
) -> None:
    first = await opener(settings)
    await first.save(record("p-0"))
    await first.close()
    second = await opener(settings)
    await second.save(record("p-1"))
    assert (await verified(second, key)).holds
    gone = first.trail.writer
    tables = ("audit_entries", "audit_contents", "audit_writers")
    await run(second, *(f"DELETE FROM {table} WHERE writer = '{gone}'" for table in tables))
    await run(second, "DELETE FROM predictions WHERE id = 'p-0'")
    report = await verified(second, key)
    assert faults(report) == [(Fault.TRUNCATED, f"{gone}/2")]


async def test_writers_side_by_side_have_chains_of_their_own(
    opener: Opener, settings: StorageSettings, key: SigningKey
) -> None:
    stores = [await opener(settings) for _ in range(3)]
    for number in range(9):
        await stores[number % 3].save(record(f"p-{number}"))
    report = await verified(stores[0], key, await anchor(stores[0], key))
    assert report.findings == []
    assert (report.writers, report.predictions) == (3, 9)


async def test_checkpoints_are_signed_now_and_then_and_at_the_end(
    opener: Opener, settings: StorageSettings, key: SigningKey
) -> None:
    store = await opener(settings)
    log = log_of(store, settings)
    await filled(store, 2)
    await log.checkpoint()
    await log.checkpoint()  # nothing new, nothing signed
    await log.note("change", "quickstart", "alice", {"pooling": "linear"})
    await log.close()
    own = KeyReference("", settings).open() if settings.url.startswith("sqlite") else None
    report = await verified(store, own or key)
    assert report.checkpoints == 2
    if own is not None:
        assert report.findings == []


async def test_a_forged_checkpoint_is_found(
    store: SqlPredictionStore, key: SigningKey, tmp_path: Path
) -> None:
    await filled(store)
    other = KeyReference("", StorageSettings(url=f"sqlite:///{tmp_path}/other/p.db")).open()
    elsewhere = await anchor(store, other)
    assert (await verified(store, key, elsewhere)).holds  # one who anchors outside vouches for its key
    assert store.trail.head is not None
    foreign = signed({store.trail.writer: store.trail.head}, other)
    bad = parsed(foreign.text.replace('\\"time_us\\":', '\\"time_us\\":1'))
    assert faults(await verified(store, key, bad)) == [(Fault.BAD_SIGNATURE, "the given checkpoint")]

    def keep_it(connection: Connection) -> None:
        from server.storage.audit.checkpoints import keep  # noqa: PLC0415

        keep(connection, store.trail.writer, foreign)

    await store.database.write(keep_it)
    assert [fault for fault, _ in faults(await verified(store, key))] == [Fault.UNKNOWN_KEY]


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE outcomes SET outcome = 'NO'", Fault.ALTERED),
        ("UPDATE outcomes SET known_time_us = known_time_us - 1", Fault.ALTERED),
        ("DELETE FROM outcomes", Fault.MISSING),
        ("UPDATE outcomes SET version = 2", Fault.UNLISTED),
    ],
)
async def test_a_changed_outcome_is_found(
    store: SqlPredictionStore, key: SigningKey, statement: str, fault: Fault
) -> None:
    await filled(store, 1)
    outcomes = SqlOutcomeStore(store.database, store.trail)
    await outcomes.record([Resolution("question-1", NOON, outcome="YES")], NOON, "alice")
    report = await verified(store, key)
    assert (report.findings, report.outcomes) == ([], 1)
    await run(store, statement)
    assert fault in [finding.fault for finding in (await verified(store, key)).findings]


async def test_erasure_leaves_the_chain_whole(store: SqlPredictionStore, key: SigningKey) -> None:
    await filled(store)
    await store.save(record("other", question_id="question-2"))
    anchored = await anchor(store, key)
    erased = await Eraser(store.database, store.trail).erase("alice", "on request", question_id="question-1")
    report = await verified(store, key, anchored)
    assert (erased, report.findings, report.predictions, report.erased) == (5, [], 1, 5)
    assert await store.get("p-0") is None

    def everything(connection: Connection) -> str:
        tables = ("predictions", "member_forecasts", "audit_contents")
        return "".join(str(connection.execute(text(f"SELECT * FROM {t}")).all()) for t in tables)

    left = await store.database.read(everything)
    assert "question-1" not in left
    assert "p-0" in left  # the tombstone


async def test_a_pretended_erasure_is_found(store: SqlPredictionStore, key: SigningKey) -> None:
    await filled(store)
    await Eraser(store.database, store.trail).erase("alice", "on request", question_id="question-9")
    await run(store, "DELETE FROM predictions WHERE id = 'p-2'")
    assert faults(await verified(store, key)) == [(Fault.MISSING, "p-2")]


async def test_a_write_that_fails_leaves_no_entry(store: SqlPredictionStore, key: SigningKey) -> None:
    await filled(store, 1)

    def fail(connection: Connection) -> None:
        from server.storage.audit.entries import event  # noqa: PLC0415

        with store.trail.transaction(connection) as append:
            append([event("change", "x", "alice", {})])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.database.write(fail)
    await store.save(record("p-9"))
    report = await verified(store, key)
    assert (report.findings, report.entries) == ([], 3)


async def test_a_record_saved_twice_has_one_entry(store: SqlPredictionStore, key: SigningKey) -> None:
    for _ in range(2):
        await store.save(record("p-0"))
    report = await verified(store, key)
    assert (report.findings, report.entries) == ([], 2)


async def test_predictions_older_than_the_log_are_counted_not_blamed(
    opener: Opener, settings: StorageSettings, key: SigningKey
) -> None:
    first = await opener(settings)
    await filled(first, 2)
    tables = ("audit_entries", "audit_contents", "audit_writers")
    await run(first, *(f"DELETE FROM {table}" for table in tables), "UPDATE predictions SET salt = NULL")
    await first.close()
    second = await opener(settings)  # as a new version finds the database of an old one
    await second.save(record("p-new"))
    report = await verified(second, key)
    assert (report.findings, report.older_predictions, report.predictions) == ([], 2, 3)
