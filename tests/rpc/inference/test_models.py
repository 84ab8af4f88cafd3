# SPDX-License-Identifier: Apache-2.0
"""Health, metadata, configuration, statistics and the repository."""

import grpc
import numpy as np
import pytest

from server.rpc.inference.protocol import message
from tests.rpc.inference.client import refused, request
from tests.rpc.inference.conftest import loaded

WINDOW = np.zeros((2, 100, 20, 4), np.float32)


@pytest.fixture
async def networks(weights):
    """Its own, because these tests load, unload and count."""
    made = loaded(weights)
    yield made
    await made.close()


def ask(model="small", count=2, **fields):
    window = ("book_window", "FP32", (count, 100, 20, 4))
    return request(model, window, raw=[WINDOW[:count].tobytes()], **fields)


async def test_health(client):
    assert (await client("ServerLive")).live
    assert (await client("ServerReady")).ready
    assert (await client("ModelReady", name="small")).ready
    assert (await client("ModelReady", name="small", version="2")).ready
    assert (await client("ModelReady", name="quick")).ready


async def test_not_ready_is_an_error(client):
    assert await refused(client("ModelReady", name="none")) == (
        grpc.StatusCode.NOT_FOUND,
        "Request for unknown model: 'none' is not found: not there",
    )
    code, text = await refused(client("ModelReady", name="small", version="7"))
    assert code is grpc.StatusCode.NOT_FOUND
    code, text = await refused(client("ModelReady", name="small", version="1"))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert "is not at ready state" in text
    code, _ = await refused(client("ModelReady", name="other"))
    assert code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("version", ["0", "-1", "one", "1.0", " 1", "9" * 30, "٣"])
async def test_a_version_is_a_whole_number(client, version):
    code, text = await refused(client("ModelMetadata", name="small", version=version))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "version" in text


async def test_the_server_announces_what_works_alone(client):
    found = await client("ServerMetadata")
    assert (found.name, found.version) == ("consilience", "test")
    assert {"statistics", "model_repository", "model_configuration", "sequence"} <= set(found.extensions)
    unserved = {
        "SystemSharedMemoryStatus": "system_shared_memory",
        "CudaSharedMemoryRegister": "cuda_shared_memory",
        "TraceSetting": "trace",
        "LogSettings": "logging",
    }
    assert not set(unserved.values()) & set(found.extensions)
    for method in unserved:
        assert (await refused(client(method)))[0] is grpc.StatusCode.UNIMPLEMENTED


async def test_metadata_shows_the_batch(client):
    found = await client("ModelMetadata", name="small")
    assert (found.name, list(found.versions), found.platform) == ("small", ["2"], "pytorch_torchscript")
    assert [(t.name, t.datatype, list(t.shape)) for t in found.inputs] == [
        ("book_window", "FP32", [-1, 100, 20, 4])
    ]
    assert [(t.name, list(t.shape)) for t in found.outputs] == [
        ("direction_logits", [-1, 2, 3]),
        ("confidence", [-1, 2]),
        ("expected_return_bps", [-1, 2]),
    ]


async def test_metadata_without_a_batch(client):
    found = await client("ModelMetadata", name="held")
    assert list(found.inputs[0].shape) == [1]


async def test_configuration(client):
    config = (await client("ModelConfig", name="small")).config
    assert (config.name, config.max_batch_size, config.backend) == ("small", 4, "torchscript")
    assert config.WhichOneof("scheduling_choice") == "dynamic_batching"
    assert config.dynamic_batching.priority_levels >= config.dynamic_batching.default_priority_level > 0
    assert config.dynamic_batching.default_queue_policy.max_queue_size == 256
    assert list(config.input[0].dims) == [100, 20, 4]
    assert config.input[0].data_type == 11
    assert not config.model_transaction_policy.decoupled
    assert config.parameters["horizons"].string_value == "10,50"
    assert list(config.version_policy.specific.versions) == [2]
    assert (await client("ModelConfig", name="counting")).config.model_transaction_policy.decoupled
    quick = (await client("ModelConfig", name="quick")).config
    assert all(each.optional for each in quick.input)
    assert (await refused(client("ModelConfig", name="none")))[0] is grpc.StatusCode.NOT_FOUND


async def test_statistics_add_up(serving, client):
    for count in (1, 2, 2):
        await client("ModelInfer", ask(count=count))
    (found,) = (await client("ModelStatistics", name="small")).model_stats
    assert (found.name, found.version) == ("small", "2")
    assert (found.inference_count, found.execution_count) == (5, 3)
    stats = found.inference_stats
    assert (stats.success.count, stats.fail.count, stats.queue.count) == (3, 0, 3)
    parts = (stats.queue, stats.compute_input, stats.compute_infer, stats.compute_output)
    assert stats.success.ns == sum(part.ns for part in parts)
    assert {batch.batch_size: batch.compute_infer.count for batch in found.batch_stats} == {1: 1, 2: 2}
    assert found.last_inference > 1_600_000_000_000


async def test_statistics_of_all_or_none(client):
    await client("ModelInfer", request("quick", ("question", "BYTES", (1, 1), {"bytes_contents": [b"Why?"]})))
    found = {each.name: each for each in (await client("ModelStatistics")).model_stats}
    assert {"small", "quick", "quick.running", "market", "repeating"} <= set(found)
    assert found["quick"].inference_stats.success.count == 1
    assert found["small"].inference_count == 0
    code, text = await refused(client("ModelStatistics", name="other"))
    assert (code, text[:34]) == (grpc.StatusCode.INVALID_ARGUMENT, "requested model 'other' is not ava")
    assert (await refused(client("ModelStatistics", name="none")))[0] is grpc.StatusCode.NOT_FOUND


async def test_the_index(client):
    models = (await client("RepositoryIndex")).models
    states = {(each.name, each.version): (each.state, each.reason) for each in models}
    assert states["small", "2"] == ("READY", "")
    assert states["small", "1"] == ("UNAVAILABLE", "unloaded")
    assert states["quick", "1"] == ("READY", "")
    ready = (await client("RepositoryIndex", ready=True)).models
    assert {each.state for each in ready} == {"READY"}
    code, _ = await refused(client("RepositoryIndex", repository_name="mine"))
    assert code is grpc.StatusCode.UNIMPLEMENTED


async def test_load_and_unload(client):
    await client("RepositoryModelLoad", model_name="other")
    assert (await client("ModelReady", name="other")).ready
    await client("RepositoryModelUnload", model_name="other")
    assert (await refused(client("ModelInfer", ask("other"))))[0] is grpc.StatusCode.UNAVAILABLE
    assert (await client("ServerReady")).ready
    code, _ = await refused(client("RepositoryModelUnload", model_name="other"))
    assert code is grpc.StatusCode.NOT_FOUND
    code, text = await refused(client("RepositoryModelLoad", model_name="nowhere"))
    assert (code, text.startswith("failed to load 'nowhere', ")) == (grpc.StatusCode.INTERNAL, True)


async def test_load_a_version(client):
    load = message("RepositoryModelLoadRequest")(model_name="small")
    load.parameters["version"].int64_param = 1
    await client("RepositoryModelLoad", load)
    assert list((await client("ModelMetadata", name="small")).versions) == ["1", "2"]
    assert (await client("ModelInfer", ask())).model_version == "1"
    assert (await client("ModelInfer", ask(model_version="2"))).model_version == "2"
    load.parameters["config"].string_param = "{}"
    assert (await refused(client("RepositoryModelLoad", load)))[0] is grpc.StatusCode.UNIMPLEMENTED


async def test_a_damaged_model_is_not_loaded(client, serving):
    folder = serving.root / "other" / "1"
    content = (folder / "model.pt").read_bytes()
    (folder / "model.pt").write_bytes(content[:-1])
    try:
        code, text = await refused(client("RepositoryModelLoad", model_name="other"))
        assert code is grpc.StatusCode.INTERNAL
        assert text.startswith("failed to load 'other', other/1/model.pt: was altered")
        states = {m.name: m for m in (await client("RepositoryIndex")).models}
        assert "was altered" in states["other"].reason
        assert str(serving.root) not in text + states["other"].reason
        assert not (await client("ServerReady")).ready
    finally:
        (folder / "model.pt").write_bytes(content)


async def test_ensembles_come_from_the_configuration(client):
    for method in ("RepositoryModelLoad", "RepositoryModelUnload"):
        code, text = await refused(client(method, model_name="quick"))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert "explicit model load / unload is not allowed" in text


async def test_unloading_takes_its_own_parameter_alone(client):
    unload = message("RepositoryModelUnloadRequest")(model_name="small")
    unload.parameters["unload_dependents"].int64_param = 1
    assert (await refused(client("RepositoryModelUnload", unload)))[0] is grpc.StatusCode.INVALID_ARGUMENT
    unload.parameters["unload_dependents"].bool_param = True
    await client("RepositoryModelUnload", unload)
