# SPDX-License-Identifier: Apache-2.0
"""A bare grpc.aio + uvloop server that answers each message with itself, until SIGTERM.

python -m benchmarks.server.echo_server    prints {"address": ...} when it is ready
"""

import asyncio
import json
import signal
from typing import Any

import grpc
import uvloop

from consilience.v1.predict_service_pb2 import AggregateRequest


async def _echo(request: AggregateRequest, context: Any) -> AggregateRequest:
    del context
    return request


async def serve() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    method = grpc.unary_unary_rpc_method_handler(
        _echo, AggregateRequest.FromString, AggregateRequest.SerializeToString
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("consilience.benchmarks.EchoService", {"Echo": method}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(json.dumps({"address": f"127.0.0.1:{port}"}), flush=True)
    await stop.wait()
    await server.stop(5)


if __name__ == "__main__":
    uvloop.run(serve())
