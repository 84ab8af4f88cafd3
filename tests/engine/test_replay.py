# SPDX-License-Identifier: Apache-2.0
"""A stored prediction gives the same bits again. ``make replay-check`` does it with 10,000."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from server.engine.ensembles import Ensembles
from server.engine.nested import EnsembleForecaster
from server.engine.replay import Verdict, replay
from server.engine.request import PredictionRequest
from server.forecasting.computation import packed, unpacked
from server.forecasting.errors import InvalidRequestError, UnsupportedError
from server.forecasting.forecast import Forecast
from server.forecasting.pooling import POOLINGS
from server.forecasting.prediction import MemberAnswer, PredictionRecord
from server.forecasting.question import Question
from server.storage.documents import decode, encode
from server.storage.settings import StorageSettings
from server.storage.store import open_store
from tests.engine.conftest import engine_of, ensemble_of
from tests.engine.replays import some_records
from tests.fakes import MemoryStore, yes

COUNT = int(os.environ.get("CONSILIENCE_REPLAYS", "1000"))


async def one_record(**members: float) -> PredictionRecord:
    store = MemoryStore()
    ensemble = ensemble_of({name: yes(p) for name, p in (members or {"a": 0.9, "b": 0.7, "c": 0.6}).items()})
    await engine_of(ensemble, store=store).predict(PredictionRequest(Question("q", "Will it rain?")))
    return next(iter(store.records.values()))


async def test_every_prediction_replays_to_the_same_bits() -> None:
    records = await some_records(COUNT, seed=7)
    for record in records:
        again = replay(decode(encode(record).decode()))
        assert (again.verdict, again.differences) == (Verdict.IDENTICAL, ()), record.prediction.computation
    seen = Counter(record.prediction.method.pooling for record in records)
    assert set(seen) == set(POOLINGS)
    assert {record.prediction.method.curve for record in records} >= {
        "platt",
        "isotonic",
        "beta",
        "temperature",
    }
    assert any(m.forecast and m.forecast.inner for record in records for m in record.prediction.members)
    assert any(m.absent for record in records for m in record.prediction.members)


async def test_the_same_bits_after_a_restart_with_other_weights(tmp_path: Path) -> None:
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/p.db")
    ensemble = ensemble_of({"a": yes(0.9), "b": yes(0.3)}, pooling="extremised")
    store = await open_store(settings)
    engine = engine_of(ensemble, store=store)  # type: ignore[arg-type]
    prediction = await engine.predict(PredictionRequest(Question("q", "Will it rain?")))
    await store.close()
    Ensembles([ensemble], "test").get("test").change_member("a", "", weight=7.5, enabled=False)
    ensemble.change("", lambda spec: replace(spec, pooling="linear", min_agreement=0.99, high_agreement=1.0))
    reopened = await open_store(settings)
    record = await reopened.get(prediction.id)
    await reopened.close()
    assert record is not None
    again = replay(record)
    assert again.verdict is Verdict.IDENTICAL
    assert again.replayed == record.prediction


async def test_without_compiled_kernels_it_is_equivalent(tmp_path: Path) -> None:
    records = await some_records(60, seed=11)
    documents = tmp_path / "documents"
    documents.write_bytes(b"\n".join(encode(record) for record in records))
    command = [sys.executable, "-m", "tests.engine.replays", str(documents)]
    done = subprocess.run(  # noqa: ASYNC221, S603
        command,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(records)
    assert {line.strip() for line in lines} == {"equivalent False"}


async def test_a_changed_number_is_named() -> None:
    record = await one_record()
    prediction = record.prediction
    touched = replace(
        record, prediction=replace(prediction, confidence=np.nextafter(prediction.confidence, 1))
    )
    again = replay(touched)
    assert again.verdict is Verdict.DIFFERENT
    assert [difference.partition(":")[0] for difference in again.differences] == ["confidence"]


async def test_a_changed_answer_is_named() -> None:
    record = await one_record()
    first, *others = record.prediction.members
    changed = MemberAnswer("a", Forecast((0.2, 0.8)), 1.0, first.weight, first.contribution, first.latency_s)
    again = replay(replace(record, prediction=replace(record.prediction, members=(changed, *others))))
    assert again.verdict is Verdict.DIFFERENT
    assert again.differences == ("computation.matrix: is not that of the stored answers",)


async def test_a_changed_weight_is_named() -> None:
    record = await one_record()
    assert record.prediction.computation is not None
    computation = replace(record.prediction.computation, weights=(2.0, 1.0, 1.0))
    again = replay(replace(record, prediction=replace(record.prediction, computation=computation)))
    assert again.verdict is Verdict.DIFFERENT
    named = {difference.partition(":")[0] for difference in again.differences}
    assert {"members[a].raw_weight", "probabilities[0]", "confidence"} <= named


async def test_an_inner_answer_that_does_not_follow_is_named() -> None:
    store = MemoryStore()
    inner = ensemble_of({"x": yes(0.8), "y": yes(0.9)}, "inner")
    outer = ensemble_of({"in": EnsembleForecaster("inner", lambda _: inner), "c": yes(0.6)})
    await engine_of(outer, store=store).predict(PredictionRequest(Question("q", "Will it rain?")))
    (record,) = store.records.values()
    assert replay(record).verdict is Verdict.IDENTICAL
    (member, other) = record.prediction.members
    assert isinstance(member.answer, Forecast)
    assert member.answer.inner is not None
    told = replace(member.answer.inner, answers=(Forecast((0.1, 0.9)), member.answer.inner.answers[1]))
    changed = replace(member, answer=replace(member.answer, inner=told))
    again = replay(replace(record, prediction=replace(record.prediction, members=(changed, other))))
    assert again.differences == ("computation[in].matrix: is not that of the stored answers",)


async def test_a_small_change_is_not_equivalent_on_another_build() -> None:
    record = await one_record()
    assert record.prediction.computation is not None
    elsewhere = replace(record.prediction.computation, build="another")
    same = replace(record, prediction=replace(record.prediction, computation=elsewhere))
    assert replay(same).verdict is Verdict.EQUIVALENT
    for step, verdict in ((1e-14, Verdict.EQUIVALENT), (1e-9, Verdict.DIFFERENT)):
        moved = replace(same.prediction, confidence=same.prediction.confidence + step)
        assert replay(replace(same, prediction=moved)).verdict is verdict


async def test_records_that_cannot_be_replayed_say_so() -> None:
    record = await one_record()
    with pytest.raises(UnsupportedError, match="before predictions could be replayed"):
        replay(replace(record, prediction=replace(record.prediction, computation=None)))
    assert record.prediction.computation is not None
    damaged = replace(record.prediction.computation, matrix="AAAA")
    with pytest.raises(InvalidRequestError, match="is damaged"):
        replay(replace(record, prediction=replace(record.prediction, computation=damaged)))


def test_a_matrix_survives_packing_with_its_nans() -> None:
    matrix = np.array([[0.1, 0.9], [np.nan, np.nan], [0.0, -0.0]])
    again = unpacked(packed(matrix), 3)
    assert again.tobytes() == matrix.tobytes()
    assert again.flags.c_contiguous
    assert again.flags.writeable
