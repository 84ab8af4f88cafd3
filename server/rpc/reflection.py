# SPDX-License-Identifier: Apache-2.0
"""Server reflection, v1 and v1alpha, over the same messages.

The two versions differ in the package name alone. The published Python package
has v1alpha; v1 is derived from its descriptor, so that describing the service
itself works, too.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import cast

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from grpc_reflection.v1alpha import reflection_pb2 as pb

from server.rpc.bind import endless
from server.rpc.call import Call
from server.rpc.inference import protocol

_NOT_FOUND = 5
_V1ALPHA = b"grpc.reflection.v1alpha"
_V1 = b"grpc.reflection.v1"


def _v1_service() -> ServiceDescriptor:
    """The v1 service, made from v1alpha's descriptor with the package renamed."""
    pool = descriptor_pool.Default()
    proto = FileDescriptorProto()
    pb.DESCRIPTOR.CopyToProto(proto)
    _rename(proto)
    pool.Add(proto)
    return pool.FindServiceByName("grpc.reflection.v1.ServerReflection")


def _rename(proto: FileDescriptorProto) -> None:
    proto.name = "grpc/reflection/v1/reflection.proto"
    proto.package = _V1.decode()
    old, new = f".{_V1ALPHA.decode()}.", f".{_V1.decode()}."
    for message in proto.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = field.type_name.replace(old, new)
    for service in proto.service:
        for method in service.method:
            method.input_type = method.input_type.replace(old, new)
            method.output_type = method.output_type.replace(old, new)


V1ALPHA = pb.DESCRIPTOR.services_by_name["ServerReflection"]
V1 = _v1_service()


class Reflection:
    """Answers what tools like grpcurl ask about the contract."""

    def __init__(self, services: Sequence[str], answer_type: Callable[[], Message]) -> None:
        self._services = sorted(services)
        self._pools = (descriptor_pool.Default(), protocol.POOL)
        self._answer_type = answer_type

    @endless
    async def server_reflection_info(
        self, requests: AsyncIterator[Message], call: Call
    ) -> AsyncIterator[Message]:
        """One response for each request, in order."""
        del call
        async for request in requests:
            # Both versions have the same wire format: work in one, answer in the other.
            plain = pb.ServerReflectionRequest.FromString(request.SerializeToString())
            answer = self._answer_type()
            answer.ParseFromString(self._answer(plain).SerializeToString())
            yield answer

    def _answer(self, request: pb.ServerReflectionRequest) -> pb.ServerReflectionResponse:
        response = pb.ServerReflectionResponse(valid_host=request.host, original_request=request)
        try:
            self._fill(request, response)
        except KeyError as error:
            response.error_response.error_code = _NOT_FOUND
            response.error_response.error_message = str(error.args[0])
        return response

    def _fill(self, request: pb.ServerReflectionRequest, response: pb.ServerReflectionResponse) -> None:
        kind = request.WhichOneof("message_request")
        if kind == "list_services":
            response.list_services_response.service.extend(
                pb.ServiceResponse(name=name) for name in self._services
            )
        elif kind == "file_by_filename":
            self._add_files(self._find(lambda pool: pool.FindFileByName(request.file_by_filename)), response)
        elif kind == "file_containing_symbol":
            symbol = request.file_containing_symbol
            self._add_files(self._find(lambda pool: _file_of(pool, symbol)), response)
        elif kind == "file_containing_extension":
            self._add_files(self._extension_file(request.file_containing_extension), response)
        elif kind == "all_extension_numbers_of_type":
            self._add_extensions(request.all_extension_numbers_of_type, response)
        else:
            raise KeyError("the request asks for nothing")

    def _find(self, look: Callable[[DescriptorPool], FileDescriptor]) -> FileDescriptor:
        """The file from the first pool that has it."""
        for pool in self._pools[:-1]:
            with suppress(KeyError):
                return look(pool)
        return look(self._pools[-1])

    def _extension_file(self, request: pb.ExtensionRequest) -> FileDescriptor:
        pool = self._pools[0]
        holder = pool.FindMessageTypeByName(request.containing_type)
        extension = pool.FindExtensionByNumber(holder, request.extension_number)
        return cast("FileDescriptor", extension.file)  # type: ignore[attr-defined]

    def _add_extensions(self, name: str, response: pb.ServerReflectionResponse) -> None:
        pool = self._pools[0]
        holder = pool.FindMessageTypeByName(name)
        answer = response.all_extension_numbers_response
        answer.base_type_name = name
        answer.extension_number.extend(e.number for e in pool.FindAllExtensions(holder))

    @staticmethod
    def _add_files(file: FileDescriptor, response: pb.ServerReflectionResponse) -> None:
        """The file and all that it imports, each once."""
        seen: dict[str, bytes] = {}

        def add(one: FileDescriptor) -> None:
            if one.name not in seen:
                seen[one.name] = one.serialized_pb
                for below in one.dependencies:
                    add(below)

        add(file)
        response.file_descriptor_response.file_descriptor_proto.extend(seen.values())


def _file_of(pool: DescriptorPool, symbol: str) -> FileDescriptor:
    try:
        return pool.FindFileContainingSymbol(symbol)
    except KeyError:
        # Methods are symbols like any other, but this look-up does not know them.
        return pool.FindMethodByName(symbol).containing_service.file
