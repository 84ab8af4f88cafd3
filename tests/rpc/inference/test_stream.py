# SPDX-License-Identifier: Apache-2.0
"""``ModelStreamInfer``: order, errors and any number of responses."""

import asyncio

import grpc
import pytest

from tests.eventually import eventually
from tests.rpc.inference.client import request

FINAL = "triton_final_response"


def number(model, value, *, request_id="", empty_final=False):
    made = request(model, ("number", "INT32", (1,), {"int_contents": [value]}), id=request_id)
    if empty_final:
        made.parameters["triton_enable_empty_final_response"].bool_param = True
    return made


async def answers(client, *requests, metadata=()):
    return [answer async for answer in client.stream(iter(requests), metadata)]


def told(answer):
    """Error, id, value and whether it is final."""
    response = answer.infer_response
    raw = list(response.raw_output_contents)
    value = int.from_bytes(raw[0], "little") if raw else None
    return answer.error_message, response.id, value, response.parameters[FINAL].bool_param


async def test_answers_in_the_order_of_the_requests(serving, client):
    call = client.stream(iter([number("held", n, request_id=str(n)) for n in (1, 2, 3)]))
    serving.held.turn(3).set()
    serving.held.turn(2).set()
    reading = asyncio.ensure_future(call.read())
    done, _ = await asyncio.wait([reading], timeout=0.05)
    assert not done
    serving.held.turn(1).set()
    assert told(await reading) == ("", "1", 1, True)
    assert [told(await call.read()) for _ in range(2)] == [("", "2", 2, True), ("", "3", 3, True)]
    assert await call.read() is grpc.aio.EOF


async def test_an_error_is_an_answer_and_the_stream_goes_on(serving, client):
    serving.held.turn(1).set()
    requests = [number("held", n, request_id=f"r{n}") for n in (1, 13, 1)]
    requests.insert(1, number("none", 1, request_id="lost"))
    given = await answers(client, *requests)
    assert [told(answer) for answer in given] == [
        ("", "r1", 1, True),
        ("Request for unknown model: 'none' is not found: not there", "lost", None, True),
        ("model 'held' failed: ArithmeticError: thirteen", "r13", None, True),
        ("", "r1", 1, True),
    ]
    by = [(each.infer_response.model_name, each.infer_response.model_version) for each in given]
    assert by == [("held", "1"), ("none", ""), ("held", "1"), ("held", "1")]


async def test_strict_callers_get_a_status(serving, client):
    serving.held.turn(1).set()
    call = client.stream(
        iter([number("held", 1), number("held", 13), number("held", 1)]), [("triton_grpc_error", "true")]
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in call:
            pass
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "thirteen" in caught.value.details()


async def test_any_number_of_responses(client):
    assert [told(a)[2:] for a in await answers(client, number("counting", 3))] == [
        (0, False), (1, False), (2, True)
    ]  # fmt: skip
    assert await answers(client, number("counting", 0)) == []
    assert [told(a)[2:] for a in await answers(client, number("counting_on", 1))] == [(0, False)]


async def test_an_empty_end_where_it_is_wished_and_needed(client):
    ended = await answers(client, number("counting_on", 1, request_id="x", empty_final=True))
    assert [told(a) for a in ended] == [("", "x", 0, False), ("", "x", None, True)]
    assert (ended[1].infer_response.model_name, ended[1].infer_response.model_version) == ("counting_on", "1")
    assert len(await answers(client, number("counting", 2, empty_final=True))) == 2
    assert [told(a)[2:] for a in await answers(client, number("counting", 0, empty_final=True))] == [
        (None, True)
    ]


async def test_a_decoupled_model_that_fails(client):
    (found,) = await answers(client, number("counting", 13, request_id="x"))
    assert told(found) == ("model 'counting' failed: ArithmeticError: thirteen", "x", None, True)


async def test_decoupled_answers_overtake(serving, client):
    call = client.stream(iter([number("held", 1, request_id="slow"), number("counting", 2)]))
    assert [told(await call.read())[2] for _ in range(2)] == [0, 1]
    serving.held.turn(1).set()
    assert told(await call.read())[1] == "slow"


async def test_hanging_up_cancels_what_is_under_way(serving, client):
    call = client.stream(iter([number("counting", 1), number("held", 1)]))
    await call.read()
    await eventually(lambda: 1 in serving.held.turns)
    call.cancel()
    await eventually(lambda: serving.held.cancelled == [1])
    serving.held.turn(1).set()
    assert [told(a) for a in await answers(client, number("held", 1))] == [("", "", 1, True)]


async def test_many_at_a_time(serving, client):
    serving.held.turn(1).set()
    found = await answers(client, *(number("held", 1, request_id=str(n)) for n in range(1000)))
    assert [answer.infer_response.id for answer in found] == [str(n) for n in range(1000)]


async def test_an_error_names_the_version_that_was_meant(client):
    wrong = request("held", ("nothing", "INT32", (1,), {"int_contents": [1]}), id="x")
    (answer,) = await answers(client, wrong)
    assert "unexpected inference input 'nothing'" in answer.error_message
    assert (answer.infer_response.model_version, answer.infer_response.id) == ("1", "x")
