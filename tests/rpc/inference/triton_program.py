# SPDX-License-Identifier: Apache-2.0
"""What a Triton client sees. Runs in tritonclient's own environment: python triton_program.py ADDRESS

Prints one JSON object; the test beside it says what must be in it. Everything
here is the client's own: no code of ours is imported.
"""

import asyncio
import json
import queue
import sys

import grpc
import ml_dtypes
import numpy as np
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from tritonclient.utils import InferenceServerException

WINDOW = np.linspace(0, 1, 2 * 100 * 20 * 4, dtype=np.float32).reshape(2, 100, 20, 4)


def window(values=WINDOW):
    tensor = triton.InferInput("book_window", list(values.shape), "FP32")
    tensor.set_data_from_numpy(values)
    return tensor


def told(call):
    """Code and text of the refusal that a call ends with."""
    try:
        call()
    except InferenceServerException as error:
        return [error.status(), error.message()]
    return None


def describing(client):
    return {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready("small"),
        "server": client.get_server_metadata(as_json=True),
        "metadata": client.get_model_metadata("small", as_json=True),
        "config": client.get_model_config("small", as_json=True),
    }


def inferring(client):
    wanted = [triton.InferRequestedOutput("direction_logits"), triton.InferRequestedOutput("confidence")]
    answer = client.infer("small", [window()], outputs=wanted, request_id="r1", priority=1, timeout=5_000_000)
    best = client.infer(
        "small", [window()], outputs=[triton.InferRequestedOutput("direction_logits", class_count=1)]
    )
    text = triton.InferInput("question", [1, 1], "BYTES")
    text.set_data_from_numpy(np.array([["Will it rain?"]], dtype=object))
    asked = client.infer("quick", [text], parameters={"pooling": "linear"})
    return {
        "id": answer.get_response().id,
        "version": answer.get_response().model_version,
        "logits": answer.as_numpy("direction_logits").tolist(),
        "confidence": answer.as_numpy("confidence").tolist(),
        "absent": answer.as_numpy("expected_return_bps") is None,
        "best": [[text.decode() for text in row] for row in best.as_numpy("direction_logits")],
        "probabilities": asked.as_numpy("probabilities").tolist(),
        "outcomes": [text.decode() for text in asked.as_numpy("outcomes")[0]],
    }


def typed(address):
    """The typed form, which this client's classes can make but its methods never send."""
    from tritonclient.grpc import service_pb2, service_pb2_grpc  # noqa: PLC0415

    request = service_pb2.ModelInferRequest(model_name="small")
    tensor = request.inputs.add(name="book_window", datatype="FP32", shape=WINDOW.shape)
    tensor.contents.fp32_contents.extend(WINDOW.ravel().tolist())
    with grpc.insecure_channel(address) as channel:
        answer = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=20)
    return np.frombuffer(answer.raw_output_contents[0], np.float32).reshape(answer.outputs[0].shape).tolist()


def half(client):
    """FP16 and BF16 there and back."""
    found = {}
    for name, kind in (("FP16", np.float16), ("BF16", ml_dtypes.bfloat16)):
        values = np.array([[0.5, -2]], kind)
        tensor = triton.InferInput(f"in_{name}", [1, 2], name)
        tensor.set_data_from_numpy(values)
        answer = client.infer("repeating", [tensor], outputs=[triton.InferRequestedOutput(f"out_{name}")])
        found[name] = answer.as_numpy(f"out_{name}").astype(float).tolist()
    return found


def streaming(address):
    answers = queue.Queue()
    with triton.InferenceServerClient(address) as client:
        client.start_stream(callback=lambda result, error: answers.put((result, error)))
        client.async_stream_infer("small", [window()], request_id="s1")
        client.async_stream_infer("small", [window(WINDOW[:, :50])], request_id="s2")
        client.async_stream_infer("small", [window()], request_id="s3")
        found = []
        for _ in range(3):
            result, error = answers.get(timeout=20)
            found.append(error.message() if error else result.get_response().id)
        number = triton.InferInput("number", [1], "INT32")
        number.set_data_from_numpy(np.array([2], np.int32))
        client.async_stream_infer("counting_on", [number], enable_empty_final_response=True)
        decoupled = []
        for _ in range(3):
            result, _ = answers.get(timeout=20)
            values = result.as_numpy("number")
            final = result.get_response().parameters["triton_final_response"].bool_param
            decoupled.append([None if values is None else values.tolist(), final])
        client.stop_stream()
    return {"ordinary": found, "decoupled": decoupled}


def refusing(client):
    wrong_type = triton.InferInput("book_window", [1, 100, 20, 4], "FP64")
    wrong_type.set_data_from_numpy(WINDOW[:1].astype(np.float64))
    wrong_name = triton.InferInput("x", [1, 100, 20, 4], "FP32")
    wrong_name.set_data_from_numpy(WINDOW[:1])
    wrong_size = window()
    wrong_size._raw_content = wrong_size._raw_content[:-1]
    unknown = [triton.InferRequestedOutput("x")]
    return {
        "shape": told(lambda: client.infer("small", [window(WINDOW[:, :50])])),
        "datatype": told(lambda: client.infer("small", [wrong_type])),
        "name": told(lambda: client.infer("small", [wrong_name])),
        "size": told(lambda: client.infer("small", [wrong_size])),
        "output": told(lambda: client.infer("small", [window()], outputs=unknown)),
        "batch": told(lambda: client.infer("small", [window(np.tile(WINDOW, (3, 1, 1, 1)))])),
        "model": told(lambda: client.infer("none", [window()])),
        "version": told(lambda: client.infer("small", [window()], model_version="x")),
        "statistics": told(lambda: client.get_inference_statistics("other")),
        "trace": told(client.get_trace_settings),
        "memory": told(client.get_system_shared_memory_status),
    }


def changing(client):
    before = {(m["name"], m["version"]): m.get("state") for m in index(client)}
    client.load_model("other")
    loaded = client.is_model_ready("other")
    client.unload_model("other")
    after = {(m["name"], m["version"]): m.get("state") for m in index(client)}
    return {
        "before": before["other", "1"],
        "loaded": loaded,
        "after": after["other", "1"],
        "refused": told(lambda: client.load_model("nowhere")),
        "configured": told(lambda: client.load_model("other", config="{}")),
    }


def index(client):
    return client.get_model_repository_index(as_json=True)["models"]


async def asynchronous(address):
    async with triton_aio.InferenceServerClient(address) as client:
        answer = await client.infer("small", [window()])

        async def requests():
            for number in range(3):
                yield {"model_name": "small", "inputs": [window()], "request_id": str(number)}

        ids = []
        async for result, error in client.stream_infer(requests()):
            ids.append(error.message() if error else result.get_response().id)
    return {"shape": list(answer.as_numpy("direction_logits").shape), "ids": ids}


def main():
    address = sys.argv[1]
    with triton.InferenceServerClient(address) as client:
        found = {
            "describing": describing(client),
            "inferring": inferring(client),
            "typed": typed(address),
            "half": half(client),
            "streaming": streaming(address),
            "statistics": client.get_inference_statistics("small", as_json=True),
            "refusing": refusing(client),
            "changing": changing(client),
            "asynchronous": asyncio.run(asynchronous(address)),
        }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
