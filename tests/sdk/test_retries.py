# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from google.rpc import code_pb2, status_pb2

from consilience import BookDelta, ConsilienceError, InvalidRequestError, MarketEvent, UnavailableError
from consilience._settings import service_config
from consilience.v1 import admin_service_pb2, predict_service_pb2, stream_service_pb2
from tests.sdk.conftest import Ask, Served

UNAVAILABLE = status_pb2.Status(code=code_pb2.UNAVAILABLE, message="restarting")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("predict", ("Will it?",)), ("batch_predict", (["Will it?"],)), ("stream", ("Will it?",))],
)
async def test_a_repetition_carries_the_same_request_id(
    ask: Ask, served: Served, name: str, arguments: tuple[object, ...]
) -> None:
    served.answering.failures = [UNAVAILABLE, UNAVAILABLE]
    await ask(name, *arguments)
    ids = {call.request.request_id for call in served.answering.calls}  # type: ignore[attr-defined]
    assert (len(served.answering.calls), len(ids)) == (3, 1)
    assert "" not in ids


async def test_each_call_has_an_id_of_its_own(ask: Ask, served: Served) -> None:
    for _ in range(3):
        await ask("predict", "Will it?")
    ids = [call.request.request_id for call in served.answering.calls]  # type: ignore[attr-defined]
    assert len(set(ids)) == 3


async def test_it_gives_up_in_the_end(ask: Ask, served: Served) -> None:
    served.answering.failures = [UNAVAILABLE] * 9
    with pytest.raises(UnavailableError, match="restarting"):
        await ask("predict", "Will it?")
    assert len(served.answering.calls) == 4


@pytest.mark.parametrize(
    "code", [code_pb2.INVALID_ARGUMENT, code_pb2.RESOURCE_EXHAUSTED, code_pb2.INTERNAL, code_pb2.ABORTED]
)
async def test_nothing_else_is_repeated(ask: Ask, served: Served, code: int) -> None:
    served.answering.failures = [status_pb2.Status(code=code, message="no")]
    with pytest.raises(ConsilienceError):
        await ask("predict", "Will it?")
    assert len(served.answering.calls) == 1


async def test_a_market_is_never_repeated(ask: Ask, served: Served) -> None:
    served.answering.failures = [UNAVAILABLE]
    with pytest.raises(UnavailableError):
        await ask("market", [MarketEvent("BTC", 1, BookDelta([101], [6]))])
    assert len(served.answering.calls) == 1


async def test_an_invalid_request_says_why(ask: Ask, served: Served) -> None:
    served.answering.failures = [status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="no text")]
    with pytest.raises(InvalidRequestError, match="no text"):
        await ask("predict", "")


def test_only_methods_of_the_contract_are_retried_and_none_that_changes_anything() -> None:
    contract = {
        (service.full_name, method.name)
        for file in (predict_service_pb2, stream_service_pb2, admin_service_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    (policy,) = json.loads(service_config())["methodConfig"]
    named = {(each["service"], each["method"]) for each in policy["name"]}
    assert named <= contract
    administration = {method for service, method in named if service.endswith("AdminService")}
    assert all(method.startswith(("Get", "List")) for method in administration)
    assert policy["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
