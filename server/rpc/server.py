# SPDX-License-Identifier: Apache-2.0
"""The gRPC server: every service bound, health and reflection beside them, and an orderly end."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_channelz.v1 import channelz, channelz_pb2
from grpc_health.v1 import health_pb2

from server.addresses import split_address
from server.rpc.bind import bind
from server.rpc.gate import Gate
from server.rpc.health import NOT_SERVING, SERVING, Health
from server.rpc.reflection import V1, V1ALPHA, Reflection
from server.rpc.settings import RpcSettings

#: A service of the contract with the objects that answer it, each some of its methods.
Service = tuple[ServiceDescriptor, Sequence[object]]

HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]
CHANNELZ = channelz_pb2.DESCRIPTOR.services_by_name["Channelz"]
#: Callers that were just answered ask again at once; the transport would cancel what reaches it as it stops.
LINGER_S = 0.1
#: Time for last bytes to leave once nothing is under way.
FLUSH_S = 0.25


class RpcServer:
    """Listens, reports its health, and drains."""

    def __init__(self, settings: RpcSettings, services: Sequence[Service]) -> None:
        self._settings = settings
        self._gate = Gate()
        names = [descriptor.full_name for descriptor, _ in services]
        self.health = Health(names)
        self._server = grpc.aio.server(options=_options(settings))
        shown = [*names, HEALTH.full_name, V1.full_name, V1ALPHA.full_name, CHANNELZ.full_name]
        own: list[Service] = [(HEALTH, [self.health])]
        for descriptor in (V1, V1ALPHA):
            answer_type = GetMessageClass(descriptor.methods_by_name["ServerReflectionInfo"].output_type)
            own.append((descriptor, [Reflection(shown, answer_type)]))
        self._server.add_generic_rpc_handlers(
            (*(bind(*service, self._gate) for service in (*services, *own)), _channelz())
        )
        self.address = ""

    async def start(self) -> None:
        """Listen, and say that we serve.

        Raises:
            OSError: the address is taken or cannot be listened on.
        """
        listen = self._settings.listen
        if not self._settings.reuse_port:
            _try_binding(listen)
        try:
            port = self._server.add_insecure_port(listen)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {listen}: {error}; set [rpc] listen") from error
        self.address = f"{listen.rpartition(':')[0]}:{port}"
        await self._server.start()
        self.health.set_all(SERVING)

    async def drain(self) -> None:
        """Take nothing new, finish what is under way, then close.

        Calls that never end by themselves (health watchers, market streams) are
        cut once everything else is done.
        """
        self.health.set_all(NOT_SERVING)
        await self._gate.close(self._settings.grace_s)
        await asyncio.sleep(LINGER_S)
        await self._server.stop(FLUSH_S)

    async def wait(self) -> None:
        """Until the server has stopped."""
        await self._server.wait_for_termination()


def _channelz() -> "grpc.GenericRpcHandler[Any, Any]":
    """The view that gRPC has of its own channels and sockets.

    Bound here and not by its own ``add_channelz_servicer``, which registers every
    method with the server: for each of them grpc.aio then waits on one task more
    with each call of any service, a tenth of the processor time of a small one.
    """
    servicer = channelz.aio.ChannelzServicer()  # type: ignore[attr-defined]  # defined under an if
    methods = {
        method.name: grpc.unary_unary_rpc_method_handler(
            getattr(servicer, method.name),
            GetMessageClass(method.input_type).FromString,
            GetMessageClass(method.output_type).SerializeToString,
        )
        for method in CHANNELZ.methods
    }
    return grpc.method_handlers_generic_handler(CHANNELZ.full_name, methods)


def _try_binding(listen: str) -> None:
    """Let the system say why an address cannot be used: gRPC does not hand its reason on.

    Raises:
        OSError: it is taken, not of this machine, or not ours to use.
    """
    host, port = split_address(listen)
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        raise OSError(f"cannot listen on {listen}: {error.strerror}; set [rpc] listen") from error


def _options(settings: RpcSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.max_receive_bytes),
        ("grpc.max_send_message_length", settings.max_send_bytes),
        ("grpc.max_concurrent_streams", settings.max_concurrent_streams),
        ("grpc.so_reuseport", int(settings.reuse_port)),
        # A client may ping a quiet stream every ten seconds without being cut off.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
