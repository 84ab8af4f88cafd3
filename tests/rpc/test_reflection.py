# SPDX-License-Identifier: Apache-2.0
"""Reflection in both versions: every service, every file, nothing else."""

from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection_pb2 as pb

from tests.rpc.conftest import Running


async def ask(
    running: Running, version: str, *requests: pb.ServerReflectionRequest
) -> list[pb.ServerReflectionResponse]:
    async def each() -> AsyncIterator[pb.ServerReflectionRequest]:
        for request in requests:
            yield request

    call = running.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        pb.ServerReflectionRequest.SerializeToString,
        pb.ServerReflectionResponse.FromString,
    )
    return [response async for response in call(each())]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_every_listed_service_can_be_described(running: Running, version: str) -> None:
    (listed,) = await ask(running, version, pb.ServerReflectionRequest(list_services=""))
    names = [service.name for service in listed.list_services_response.service]
    assert {
        "consilience.v1.PredictService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    } <= set(names)
    requests = [pb.ServerReflectionRequest(file_containing_symbol=name) for name in names]
    for name, response in zip(names, await ask(running, version, *requests), strict=True):
        found = [
            FileDescriptorProto.FromString(f) for f in response.file_descriptor_response.file_descriptor_proto
        ]
        pool = DescriptorPool()
        add(pool, found[0].name, {file.name: file for file in found})
        assert pool.FindServiceByName(name).full_name == name


async def test_a_file_by_its_name_and_what_is_not_there(running: Running) -> None:
    responses = await ask(
        running,
        "v1",
        pb.ServerReflectionRequest(file_by_filename="consilience/v1/predict_service.proto"),
        pb.ServerReflectionRequest(file_by_filename="grpc_service.proto"),
        pb.ServerReflectionRequest(file_containing_symbol="nope.Nope"),
        pb.ServerReflectionRequest(all_extension_numbers_of_type="google.protobuf.MethodOptions"),
        pb.ServerReflectionRequest(),
    )
    assert responses[0].file_descriptor_response.file_descriptor_proto
    assert responses[1].file_descriptor_response.file_descriptor_proto
    assert responses[2].error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert responses[3].all_extension_numbers_response.base_type_name == "google.protobuf.MethodOptions"
    assert responses[4].error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def add(pool: DescriptorPool, name: str, files: dict[str, FileDescriptorProto]) -> None:
    """Add a file after all that it imports."""
    file = files.pop(name, None)
    if file is not None:
        for below in file.dependency:
            add(pool, below, files)
        pool.Add(file)
