# SPDX-License-Identifier: Apache-2.0
"""``ModelInfer``: tensors in, tensors out, and what is refused."""

import asyncio

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from server.rpc.inference.datatypes import DATATYPES, from_raw
from tests.eventually import eventually
from tests.rpc.inference.client import refused, request

INVALID = grpc.StatusCode.INVALID_ARGUMENT
WINDOW = np.random.default_rng(0).random((2, 100, 20, 4), np.float32)
RAW = {
    "BOOL": b"\x01\x00",
    "UINT8": b"\x01\xff",
    "UINT16": b"\x01\x00\xff\xff",
    "UINT32": b"\x01\x00\x00\x00\xff\xff\xff\xff",
    "UINT64": b"\x01" + bytes(7) + b"\xff" * 8,
    "INT8": b"\x01\xff",
    "INT16": b"\x01\x00\xff\xff",
    "INT32": b"\x01\x00\x00\x00\xff\xff\xff\xff",
    "INT64": b"\x01" + bytes(7) + b"\xff" * 8,
    "FP16": np.array([0.5, -2], np.float16).tobytes(),
    "BF16": b"\x80\x3f\x20\xc0",
    "FP32": np.array([0.1, -2], np.float32).tobytes(),
    "FP64": np.array([0.1, -2], np.float64).tobytes(),
    "BYTES": b"\x02\x00\x00\x00hi\x00\x00\x00\x00",
}
TYPED = {
    "BOOL": {"bool_contents": [True, False]},
    "UINT8": {"uint_contents": [1, 255]},
    "UINT16": {"uint_contents": [1, 65535]},
    "UINT32": {"uint_contents": [1, 2**32 - 1]},
    "UINT64": {"uint64_contents": [1, 2**64 - 1]},
    "INT8": {"int_contents": [1, -1]},
    "INT16": {"int_contents": [1, -1]},
    "INT32": {"int_contents": [1, -1]},
    "INT64": {"int64_contents": [1, -1]},
    "FP32": {"fp32_contents": [0.1, -2]},
    "FP64": {"fp64_contents": [0.1, -2]},
    "BYTES": {"bytes_contents": [b"hi", b""]},
}


def window(count=2, **changes):
    fields = {"name": "book_window", "datatype": "FP32", "shape": (count, 100, 20, 4), **changes}
    return tuple(fields.values())


def ask(model="small", *, raw=WINDOW, **fields):
    return request(model, window(len(raw)), raw=[raw.tobytes()], **fields)


def outputs_of(answer):
    return {
        each.name: from_raw(raw, DATATYPES[each.datatype], int(np.prod(each.shape))).reshape(each.shape)
        for each, raw in zip(answer.outputs, answer.raw_output_contents, strict=True)
    }


def only(datatype, name=None):
    """A request for one output of the model that repeats its inputs."""
    made = request("repeating", id="7")
    made.outputs.add(name=name or f"out_{datatype}")
    return made


@pytest.mark.parametrize("datatype", RAW)
async def test_raw_comes_back_as_it_went(client, datatype):
    asked = only(datatype)
    asked.inputs.add(name=f"in_{datatype}", datatype=datatype, shape=(1, 2))
    asked.raw_input_contents.append(RAW[datatype])
    answer = await client("ModelInfer", asked)
    assert list(answer.raw_output_contents) == [RAW[datatype]]
    assert (answer.id, answer.model_name, answer.model_version) == ("7", "repeating", "3")
    assert list(answer.outputs[0].shape) == [1, 2]


@pytest.mark.parametrize("datatype", TYPED)
async def test_typed_comes_back_raw(client, datatype):
    asked = only(datatype)
    tensor = asked.inputs.add(name=f"in_{datatype}", datatype=datatype, shape=(2, 1))
    (field, values), *_ = TYPED[datatype].items()
    getattr(tensor.contents, field).extend(values)
    answer = await client("ModelInfer", asked)
    assert list(answer.raw_output_contents) == [RAW[datatype]]


async def test_small_integers_count_by_their_low_bytes(client):
    asked = only("UINT8")
    asked.inputs.add(name="in_UINT8", datatype="UINT8", shape=(1, 1)).contents.uint_contents.append(0x1FE)
    assert (await client("ModelInfer", asked)).raw_output_contents[0] == b"\xfe"


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
async def test_half_precision_is_raw_only(client, datatype):
    asked = only(datatype)
    asked.inputs.add(name=f"in_{datatype}", datatype=datatype, shape=(1, 1)).contents.fp32_contents.append(1)
    assert (await refused(client("ModelInfer", asked)))[0] is INVALID


async def test_an_empty_tensor_keeps_its_place(client):
    asked = only("FP32")
    asked.inputs.add(name="in_FP32", datatype="FP32", shape=(0, 5))
    asked.raw_input_contents.append(b"")
    answer = await client("ModelInfer", asked)
    assert list(answer.raw_output_contents) == [b""]


async def test_a_network_answers_as_itself(serving, client):
    answer = await client("ModelInfer", ask(id="mine"))
    expected = await serving.networks.repository.get("small").infer((WINDOW.copy(),))
    found = outputs_of(answer)
    assert list(found) == ["direction_logits", "confidence", "expected_return_bps"]
    for array, wanted in zip(found.values(), expected, strict=True):
        np.testing.assert_allclose(array, wanted, rtol=1e-6)
    assert (answer.id, answer.model_version) == ("mine", "2")


async def test_typed_contents_of_a_network(client):
    asked = request("small", (*window(), {"fp32_contents": WINDOW.ravel().tolist()}))
    typed, raw = await client("ModelInfer", asked), await client("ModelInfer", ask())
    assert list(typed.raw_output_contents) == list(raw.raw_output_contents)


async def test_only_what_is_wanted_in_the_order_wanted(client):
    asked = ask()
    for name in ("expected_return_bps", "direction_logits"):
        asked.outputs.add(name=name)
    assert list(outputs_of(await client("ModelInfer", asked))) == ["expected_return_bps", "direction_logits"]


async def test_the_largest_with_their_labels(client):
    asked = ask()
    asked.outputs.add(name="direction_logits").parameters["classification"].int64_param = 2
    found = outputs_of(await client("ModelInfer", asked))["direction_logits"]
    logits = outputs_of(await client("ModelInfer", ask()))["direction_logits"].reshape(2, 6)
    assert found.shape == (2, 2)
    labels = [f"{direction}@{horizon}" for horizon in (10, 50) for direction in ("DOWN", "NEUTRAL", "UP")]
    best = int(np.argmax(logits[0]))
    assert found[0, 0].decode() == f"{logits[0, best]:f}:{best}:{labels[best]}"


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (request("small"), "expected 1 inputs but got 0 inputs for model 'small'. Got input(s) [], but "),
        (request("small", window(), window(), raw=[b"", b""]), "expected 1 inputs but got 2 inputs for"),
        (request("small", window(name="x"), raw=[b""]), "unexpected inference input 'x' for model 'small'"),
        (
            request("small", window(datatype="FP64"), raw=[b""]),
            "inference input 'book_window' data-type is 'FP64', but model 'small' expects 'FP32'",
        ),
        (
            request("small", window(datatype="NONE"), raw=[b""]),
            "inference input 'book_window' data-type is 'NONE', but model 'small' expects 'FP32'",
        ),
        (
            request("small", window(shape=(2, 100, 20)), raw=[b""]),
            "unexpected shape for input 'book_window' for model 'small'. Expected [-1,100,20,4], got [2,",
        ),
        (request("small", window(shape=(-1, 100, 20, 4)), raw=[b""]), "unexpected shape for input 'book_"),
        (request("small", window(shape=(2**62, 100, 20, 4)), raw=[b""]), "unexpected shape for input"),
        (request("small", window(0), raw=[b""]), "inference request batch-size must be >= 1 and <= 4 for"),
        (
            request("small", window(5), raw=[bytes(5 * 32000)]),
            "inference request batch-size must be >= 1 and <= 4 for 'small', got 5",
        ),
        (
            request("small", window(1), raw=[bytes(31999)]),
            "unexpected total byte size for input 'book_window' for model 'small': 31999 bytes, expected",
        ),
        (request("small", window(1), raw=[bytes(32001)]), "unexpected total byte size"),
        (request("small", window(1)), "no contents were given for input 'book_window'"),
        (
            request("small", (*window(1), {"fp32_contents": [1]})),
            "unexpected number of elements for input 'book_window' for model 'small': 1, expected 8000",
        ),
        (request("small", (*window(1), {"fp64_contents": [1]})), "FP32 wants fp32_contents alone, got"),
        (
            request("small", (*window(1), {"fp32_contents": []}), raw=[bytes(32000)]),
            "contents field must not be specified when using raw_input_contents for 'book_window'",
        ),
        (request("small", window(1), raw=[bytes(32000)] * 2), "expected one raw input content for each"),
        (request("repeating", ("in_BYTES", "BYTES", (1, 1)), raw=[b"\x09\0\0\0x"]), "unexpected total byte"),
        (request("repeating", ("in_BYTES", "BYTES", (1, 1)), raw=[b"\x00"]), "unexpected total byte size"),
        (request("repeating", ("in_BYTES", "BYTES", (1, 2)), raw=[bytes(4)]), "unexpected total byte size"),
        (request("repeating", ("in_BOOL", "BOOL", (1, 1)), raw=[b"\x02"]), "unexpected total byte size"),
    ],
)  # fmt: skip
async def test_inputs_that_do_not_fit(client, asked, text):
    code, told = await refused(client("ModelInfer", asked))
    assert code is INVALID
    assert told.startswith(text)


async def test_an_unknown_output(client):
    asked = ask()
    asked.outputs.add(name="x")
    assert await refused(client("ModelInfer", asked)) == (
        INVALID,
        "unexpected inference output 'x' for model 'small'",
    )


async def test_batches_of_inputs_must_agree(client):
    asked = request(
        "market",
        ("book_window", "FP32", (1, 100, 20, 4)),
        ("feature_rows", "FP32", (2, 60, 112)),
        raw=[bytes(32000), bytes(2 * 60 * 112 * 4)],
    )
    code, text = await refused(client("ModelInfer", asked))
    assert (code, text[:33]) == (INVALID, "input batch sizes differ for mode")


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("priority", "string_param", "1"),
        ("priority", "int64_param", -1),
        ("timeout", "double_param", 1.0),
        ("sequence_start", "bool_param", True),
        ("sequence_start", "int64_param", 1),
        ("sequence_id", "bool_param", True),
        ("triton_enable_empty_final_response", "int64_param", 1),
        ("triton_anything", "bool_param", True),
        ("mine", "uint64_param", 1),
    ],
)
async def test_parameters_that_are_wrong(client, name, field, value):
    asked = ask()
    setattr(asked.parameters[name], field, value)
    code, text = await refused(client("ModelInfer", asked))
    assert code is INVALID
    assert name in text


async def test_parameters_reach_the_model(serving, client):
    asked = only("BYTES")
    asked.inputs.add(name="in_BYTES", datatype="BYTES", shape=(0, 0)).contents.SetInParent()
    parameters = asked.parameters
    parameters["priority"].uint64_param = 3
    parameters["timeout"].int64_param = 2_000_000
    parameters["sequence_id"].string_param = "s"
    parameters["sequence_start"].bool_param = True
    parameters["binary_data_output"].bool_param = True
    parameters["mine"].double_param = 0.5
    parameters["yours"].string_param = "x"
    await client("ModelInfer", asked)
    (wishes,) = serving.repeating.wishes
    assert (wishes.priority, wishes.timeout_s) == (3, 2.0)
    assert wishes.parameters == {"mine": 0.5, "yours": "x"}
    assert wishes.deadline is not None


async def test_shared_memory_is_not_there(client):
    asked = ask()
    asked.inputs[0].parameters["shared_memory_region"].string_param = "r"
    assert (await refused(client("ModelInfer", asked)))[0] is INVALID
    asked = ask()
    asked.outputs.add(name="confidence").parameters["shared_memory_region"].string_param = "r"
    assert (await refused(client("ModelInfer", asked)))[0] is INVALID


def held(number):
    return request("held", ("number", "INT32", (1,), {"int_contents": [number]}))


async def test_what_the_model_says_went_wrong(client):
    code, text = await refused(client("ModelInfer", held(13)))
    assert (code, text) == (grpc.StatusCode.INTERNAL, "model 'held' failed: ArithmeticError: thirteen")
    code, text = await refused(client("ModelInfer", held(15)))
    assert (code, text[:23]) == (grpc.StatusCode.UNAVAILABLE, "Request timeout expired")


async def test_a_full_queue_says_when_to_come_back(client):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client("ModelInfer", held(14))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert caught.value.details().startswith("Exceeds maximum queue size")
    retry = error_details_pb2.RetryInfo()
    (found,) = [d for d in rpc_status.from_call(caught.value).details if d.Is(retry.DESCRIPTOR)]
    found.Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 250


async def test_a_caller_that_leaves_cancels_its_own_request(serving, client):
    leaving = asyncio.ensure_future(client("ModelInfer", held(1)))
    staying = asyncio.ensure_future(client("ModelInfer", held(2)))
    await eventually(lambda: {1, 2} <= serving.held.turns.keys())
    leaving.cancel()
    await eventually(lambda: serving.held.cancelled == [1])
    serving.held.turn(2).set()
    assert (await staying).raw_output_contents[0] == b"\x02\x00\x00\x00"


async def test_a_decoupled_model_wants_a_stream(client):
    asked = held(1)
    asked.model_name = "counting"
    code, text = await refused(client("ModelInfer", asked))
    assert code is grpc.StatusCode.UNIMPLEMENTED
    assert "decoupled" in text


async def test_unknown_models(client):
    assert (await refused(client("ModelInfer", ask("none"))))[0] is grpc.StatusCode.NOT_FOUND
    assert (await refused(client("ModelInfer", ask("other"))))[0] is grpc.StatusCode.UNAVAILABLE
    assert (await refused(client("ModelInfer", ask(model_version="9"))))[0] is grpc.StatusCode.NOT_FOUND
