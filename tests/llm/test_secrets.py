# SPDX-License-Identifier: Apache-2.0
"""No key in any log, error, repr or record; a test greps them all."""

import asyncio
import json
import logging
import pickle
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from server.forecasting.forecast import Absent, Forecast
from server.forecasting.query import Query
from server.llm.attempts import AttemptLog
from server.llm.room import LanguageModels
from server.llm.secrets import Secret, SecretError, resolve
from server.llm.settings import ChatSettings, ProviderSettings
from server.simulator.service import fingerprint
from tests.llm.conftest import PRICE, QUERY, Bench, Notes, deadline
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


@pytest.mark.parametrize(
    ("settings", "mend"),
    [
        ({"headers": {"Authorization": f"Bearer {OURS}"}}, "Authorization: give a reference"),
        ({"headers": {"api-key": OURS}}, "api-key: give a reference"),
        ({"base_url": f"https://me:{OURS}@x.y/v1"}, "no user and password in the address"),
        ({"proxy": f"http://me:{OURS}@x.y:3128"}, "goes by reference"),
        ({"proxy": f"x.y:{OURS}"}, "give the proxy's address"),
    ],
)
def test_secrets_elsewhere_than_in_key_go_by_reference_too(settings: dict[str, Any], mend: str) -> None:
    with pytest.raises(ValidationError, match=mend) as caught:
        ProviderSettings.model_validate({"base_url": "https://x.y", **settings})
    assert OURS not in str(caught.value)


async def test_a_proxy_may_be_a_reference(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator plays the proxy: it is asked for an address that does not exist."""
    monkeypatch.setenv("PROXY", bench.simulator.url.replace("//", f"//me:{OURS}@"))
    elsewhere = {"base_url": "http://nowhere.invalid/openai/v1", "proxy": "env:PROXY"}
    assert isinstance(await bench.ask("sim-fast", provider=elsewhere), Forecast)
    assert len(bench.entries("sim-fast")) == 1


def test_a_key_of_two_lines_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{OURS}\n{THEIRS}\n")
    with pytest.raises(SecretError, match="must be one line") as caught:
        resolve(f"file:{tmp_path}/key")
    assert OURS not in str(caught.value)


@pytest.mark.parametrize("repeated", [OURS, f"{'x' * 281} {OURS}", "sk-gateway-91c3"])
async def test_a_secret_that_the_provider_repeats_is_blotted_out(
    monkeypatch: pytest.MonkeyPatch, repeated: str
) -> None:
    """Also where the message is cut in the middle of it, and one from a header of a gateway."""
    monkeypatch.setenv("OUR_KEY", OURS)
    monkeypatch.setenv("GATEWAY_TOKEN", "Bearer sk-gateway-91c3")

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
        body = json.dumps({"error": {"message": f"What is {repeated}?"}}).encode()
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as peer:
        port = peer.sockets[0].getsockname()[1]
        settings = ProviderSettings(
            base_url=f"http://127.0.0.1:{port}/v1",
            key="env:OUR_KEY",
            headers={"x-gateway-token": "env:GATEWAY_TOKEN"},
        )
        room = LanguageModels({"sim": settings}, {"m": member("any", stream=False)})
        answer = await room.forecasters["m"].forecast(QUERY, deadline())
        await room.close()
    assert isinstance(answer, Absent)
    assert "HTTP 400" in answer.detail
    assert "***" in answer.detail
    assert not [secret for secret in (OURS, "sk-gateway-91c3") if secret[:6] in answer.detail]


async def test_a_key_in_an_answer_is_blotted_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one in JSON's escapes, and as the name of the model."""
    monkeypatch.setenv("OUR_KEY", OURS)
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in OURS)

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
        said = f'{{"probability": 0.7, "rationale": "{OURS} {escaped}"}}'
        choice = {"finish_reason": "stop", "message": {"content": said}}
        body = json.dumps({"id": OURS, "model": OURS, "choices": [choice]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    notes = Notes()
    async with await asyncio.start_server(repeat, "127.0.0.1", 0) as peer:
        port = peer.sockets[0].getsockname()[1]
        settings = ProviderSettings(base_url=f"http://127.0.0.1:{port}/v1", key="env:OUR_KEY")
        room = LanguageModels({"sim": settings}, {"m": member("any", stream=False)}, observer=notes)
        answer = await room.forecasters["m"].forecast(QUERY, deadline())
        await room.close()
    assert isinstance(answer, Forecast)
    assert answer.rationale == "*** ***"
    assert OURS not in f"{answer} {notes}"


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
