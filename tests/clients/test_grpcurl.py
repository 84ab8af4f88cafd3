# SPDX-License-Identifier: Apache-2.0
"""grpcurl knows nothing but what reflection tells it."""

import json
import subprocess
from typing import Any

import pytest
from google.protobuf import descriptor_pool

from benchmarks.serving import Served
from consilience.v1 import admin_service_pb2, predict_service_pb2, stream_service_pb2

FILES = (predict_service_pb2, stream_service_pb2, admin_service_pb2)
SERVICES = [service for file in FILES for service in file.DESCRIPTOR.services_by_name.values()]


def call(grpcurl: str, *arguments: str, wrong: bool = False) -> str:
    done = subprocess.run([grpcurl, "-plaintext", *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    assert bool(done.returncode) is wrong, done.stderr
    return done.stderr if wrong else done.stdout


def test_everything_is_listed(served: Served, grpcurl: str) -> None:
    listed = call(grpcurl, served.address, "list").split()
    assert {service.full_name for service in SERVICES} <= set(listed)
    assert {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} <= set(listed)
    for service in SERVICES:
        methods = call(grpcurl, served.address, "list", service.full_name).split()
        assert set(methods) == {method.full_name for method in service.methods}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_service_and_its_messages_can_be_described(service: Any, served: Served, grpcurl: str) -> None:
    assert service.full_name in call(grpcurl, served.address, "describe", service.full_name)
    first = service.methods[0]
    for name in (first.full_name, first.input_type.full_name):
        assert name.rpartition(".")[2] in call(grpcurl, served.address, "describe", name)


def test_health(served: Served, grpcurl: str) -> None:
    answer = json.loads(call(grpcurl, served.address, "grpc.health.v1.Health/Check"))
    assert answer == {"status": "SERVING"}


def test_every_unary_method_can_be_called(served: Served, grpcurl: str) -> None:
    """With an empty message: an answer, or a status of ours, never a fault."""
    for service in SERVICES:
        for method in service.methods:
            if method.client_streaming or method.server_streaming:
                continue
            name = f"{service.full_name}/{method.name}"
            command = [grpcurl, "-plaintext", "-d", "{}", served.address, name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode:
                codes = ("InvalidArgument", "NotFound", "Unimplemented")
                assert any(f"Code: {code}" in done.stderr for code in codes), (name, done.stderr)
                assert "google.rpc.ErrorInfo" in done.stderr, (name, done.stderr)


def test_a_bad_field_is_named(served: Served, grpcurl: str) -> None:
    request = json.dumps({"probabilities": [0.5, 1.5]})
    method = "consilience.v1.PredictService/Aggregate"
    error = call(grpcurl, "-d", request, served.address, method, wrong=True)
    for word in ("InvalidArgument", "google.rpc.BadRequest", "probabilities[1]"):
        assert word in error


def test_the_contract_is_in_this_process_too() -> None:
    """Else the walks above would walk over nothing."""
    assert len(SERVICES) == 3
    assert descriptor_pool.Default().FindFileByName("consilience/v1/predict_service.proto")
