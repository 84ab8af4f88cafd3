# SPDX-License-Identifier: Apache-2.0
"""A bare grpc.aio server that refuses every call unread: the least that a refusal costs over this transport.

python -m benchmarks.inference.refusing_server
"""

import json

import grpc
import uvloop
from google.rpc import status_pb2

DETAILS = (("grpc-status-details-bin", status_pb2.Status(code=8, message="full").SerializeToString()),)


class Refusing(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers every method."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler":
        """One handler for all."""
        del handler_call_details
        return grpc.unary_unary_rpc_method_handler(_refuse)


async def _refuse(request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
    del request
    context.set_code(grpc.StatusCode.RESOURCE_EXHAUSTED)
    context.set_details("full")
    context.set_trailing_metadata(DETAILS)
    return b""


async def serve() -> None:
    """Say where on standard output, and serve until killed."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Refusing(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(json.dumps({"address": f"127.0.0.1:{port}"}), flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve())
