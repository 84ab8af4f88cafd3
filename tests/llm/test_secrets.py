# SPDX-License-Identifier: Apache-2.0
"""No key in any log, error, repr or record; a test greps them all."""

import logging
import pickle
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from server.forecasting.query import Query
from server.llm.attempts import AttemptLog
from server.llm.room import LanguageModels
from server.llm.secrets import Secret, SecretError, resolve
from server.llm.settings import ChatSettings, ProviderSettings
from server.simulator.service import fingerprint
from tests.llm.conftest import PRICE, QUERY, Bench, deadline
from tests.llm.wires import WIRES

OURS, THEIRS = "sk-ours-7f3a9c5e1b", "sk-theirs-2d8b4f6a0c"


def test_references_are_resolved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("A_KEY", " sk-env \n")
    (tmp_path / "key").write_text("sk-file\n")
    assert resolve("env:A_KEY").reveal() == "sk-env"
    assert resolve(f"file:{tmp_path}/key").reveal() == "sk-file"


@pytest.mark.parametrize("reference", ["env:NO_SUCH_NAME", "file:/no/such/file"])
def test_missing_ones_are_named(reference: str) -> None:
    with pytest.raises(SecretError, match=reference):
        resolve(reference)


def test_an_unreadable_file_gives_nothing_away(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfesk-secret")
    with pytest.raises(SecretError) as caught:
        resolve(f"file:{tmp_path}/key")
    assert "sk-secret" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_secret_does_not_show_or_travel() -> None:
    made = Secret(OURS, "env:X")
    assert OURS not in f"{made} {made!r} {[made]} {vars(type(made))}"
    with pytest.raises(TypeError, match="does not travel"):
        pickle.dumps(made)


def test_a_key_in_place_of_a_reference_is_refused_and_not_echoed() -> None:
    for field in ({"key": OURS}, {"keys": [OURS]}):
        with pytest.raises(ValidationError, match="env:NAME or file:/path") as caught:
            ProviderSettings.model_validate({"base_url": "https://x.y", **field})
        assert OURS not in str(caught.value)


async def test_headers_of_a_gateway_may_be_references(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", "Bearer sk-gateway")
    headers = {"Authorization": "env:GATEWAY_TOKEN", "X-Title": "test"}
    await bench.ask("sim-fast", provider={"headers": headers})
    assert bench.entries()[0].key == fingerprint("sk-gateway")


def test_a_missing_header_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_TOKEN", raising=False)
    settings = ProviderSettings(base_url="http://x/v1", headers={"Authorization": "env:GATEWAY_TOKEN"})
    with pytest.raises(ValueError, match="GATEWAY_TOKEN is not set"):
        LanguageModels({"sim": settings}, {"m": member("sim-fast", stream=False)})


async def test_no_key_anywhere(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every format, good and bad: logs, answers, attempts, alerts, reprs and the simulator's ledger."""
    seen = StringIO()
    handler = logging.StreamHandler(seen)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(seen))
    try:
        await ask_everything(bench, monkeypatch, seen)
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(logging.WARNING)
        structlog.reset_defaults()
    text = seen.getvalue()
    assert "attempt failed" in text
    assert OURS not in text
    assert THEIRS not in text


async def ask_everything(bench: Bench, monkeypatch: pytest.MonkeyPatch, seen: StringIO) -> None:
    monkeypatch.setenv("OUR_KEY", OURS)
    models = ("sim-fast", "sim-401", "sim-500", "sim-reset", "sim-garbage", "sim-context", "sim-hang")
    for wire in WIRES:
        settings = wire.provider(bench.simulator.url, key="env:OUR_KEY", flavour=wire.flavour)
        room = LanguageModels(
            {"sim": ProviderSettings.model_validate(settings)},
            {
                f"{model} {stream}": member(model, stream=stream)
                for stream in (True, False)
                for model in models
            },
            observer=Both(bench),
        )
        for name, forecaster in room.forecasters.items():
            for query in (QUERY, Query(QUERY.question, keys={"sim": THEIRS})):
                seconds = 0.05 if "hang" in name else 5.0
                answer = await forecaster.forecast(query, deadline(seconds))
                print(answer, query, forecaster, vars(forecaster), file=seen)
        for provider in room.providers.values():
            print(provider.keys.keys, vars(provider), vars(provider.wire), file=seen)
        await room.close()
    print(bench.notes, bench.simulator.service.ledger.report(), file=seen)


class Both(AttemptLog):
    """Logs, and keeps."""

    def __init__(self, bench: Bench) -> None:
        self._notes = bench.notes

    def attempted(self, attempt: Any) -> None:
        super().attempted(attempt)
        self._notes.attempted(attempt)

    def alerted(self, provider: str, what: str, detail: str) -> None:
        super().alerted(provider, what, detail)
        self._notes.alerted(provider, what, detail)


def member(model: str, *, stream: bool) -> ChatSettings:
    return ChatSettings.model_validate({"provider": "sim", "model": model, "price": PRICE, "stream": stream})
