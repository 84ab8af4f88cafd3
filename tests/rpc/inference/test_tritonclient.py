# SPDX-License-Identifier: Apache-2.0
"""Triton's own client, in an environment of its own, against this server."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from tests.rpc.inference.conftest import loaded

PROGRAM = Path(__file__).with_name("triton_program.py")
PYTHON = Path(__file__).parents[3] / ".venvs" / "tritonclient" / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="tritonclient has no environment here; `make triton-client` makes it"
)


@pytest.fixture
async def networks(weights):
    made = loaded(weights)
    yield made
    await made.close()


@pytest.fixture
async def seen(serving):
    """Everything that the client's program printed."""
    process = await asyncio.create_subprocess_exec(
        PYTHON, PROGRAM, serving.address, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def test_a_triton_client_finds_everything(serving, seen):
    described = seen["describing"]
    assert described["live"]
    assert described["ready"]
    assert described["model_ready"]
    assert described["server"]["name"] == "consilience"
    assert described["metadata"]["inputs"][0]["shape"] == ["-1", "100", "20", "4"]
    assert described["config"]["config"]["max_batch_size"] == 4

    values = np.linspace(0, 1, 2 * 100 * 20 * 4, dtype=np.float32).reshape(2, 100, 20, 4)
    logits, confidence, _ = await serving.networks.repository.get("small", 2).infer((values,))
    inferred = seen["inferring"]
    np.testing.assert_allclose(inferred["logits"], logits, rtol=1e-6)
    np.testing.assert_allclose(inferred["confidence"], confidence, rtol=1e-6)
    assert (inferred["id"], inferred["version"], inferred["absent"]) == ("r1", "2", True)
    assert inferred["best"][0][0].split(":")[1] == str(int(np.argmax(logits[0])))
    assert inferred["probabilities"][0][0] == pytest.approx((0.9 + 0.7 + 0.6) / 3)
    assert inferred["outcomes"] == ["YES", "NO"]
    np.testing.assert_allclose(seen["typed"], logits, rtol=1e-6)
    assert seen["half"] == {"FP16": [[0.5, -2.0]], "BF16": [[0.5, -2.0]]}

    ordinary = seen["streaming"]["ordinary"]
    assert (ordinary[0], ordinary[2]) == ("s1", "s3")
    assert ordinary[1].startswith("unexpected shape for input 'book_window'")
    assert seen["streaming"]["decoupled"] == [[[0], False], [[1], False], [None, True]]

    (statistics,) = seen["statistics"]["model_stats"]
    assert statistics["inference_stats"]["success"]["count"] == "5"
    assert statistics["inference_count"] == "10"

    expected = {
        "shape": "StatusCode.INVALID_ARGUMENT",
        "datatype": "StatusCode.INVALID_ARGUMENT",
        "name": "StatusCode.INVALID_ARGUMENT",
        "size": "StatusCode.INVALID_ARGUMENT",
        "output": "StatusCode.INVALID_ARGUMENT",
        "batch": "StatusCode.INVALID_ARGUMENT",
        "model": "StatusCode.NOT_FOUND",
        "version": "StatusCode.INVALID_ARGUMENT",
        "statistics": "StatusCode.INVALID_ARGUMENT",
        "trace": "StatusCode.UNIMPLEMENTED",
        "memory": "StatusCode.UNIMPLEMENTED",
    }
    assert {name: told[0] for name, told in seen["refusing"].items()} == expected

    changed = seen["changing"]
    assert (changed["before"], changed["loaded"], changed["after"]) == ("UNAVAILABLE", True, "UNAVAILABLE")
    assert changed["refused"][0] == "StatusCode.INTERNAL"
    assert changed["configured"][0] == "StatusCode.UNIMPLEMENTED"
    assert seen["asynchronous"] == {"shape": [2, 2, 3], "ids": ["0", "1", "2"]}
