# SPDX-License-Identifier: Apache-2.0
"""``grpc.health.v1``: Check and Watch.

Written here because the stock asynchronous servicer can stall a watcher: it
waits on one condition for all services. Here each watcher waits for the next
change of a version number, and leaves no trace when it goes.
"""

import asyncio
from collections.abc import AsyncIterator

from grpc_health.v1 import health_pb2 as pb

from server.forecasting.errors import NotFoundError
from server.rpc.bind import endless
from server.rpc.call import Call

Status = pb.HealthCheckResponse.ServingStatus
SERVING = pb.HealthCheckResponse.SERVING
NOT_SERVING = pb.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = pb.HealthCheckResponse.SERVICE_UNKNOWN


class Health:
    """The state of the server and of each service, and who is watching."""

    def __init__(self, services: list[str]) -> None:
        self._states = dict.fromkeys(["", *services], NOT_SERVING)
        self._changed = asyncio.Event()

    def set_all(self, status: int) -> None:
        """Set the server and all services, and wake every watcher."""
        self._states = dict.fromkeys(self._states, status)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def check(self, request: pb.HealthCheckRequest, call: Call) -> pb.HealthCheckResponse:
        """The present state of one service; an empty name is the server."""
        del call
        if request.service not in self._states:
            raise NotFoundError("service", request.service)
        return pb.HealthCheckResponse(status=self._states[request.service])

    @endless
    async def watch(
        self, request: pb.HealthCheckRequest, call: Call
    ) -> AsyncIterator[pb.HealthCheckResponse]:
        """The present state, then every change; an unknown service is said to be so."""
        del call
        last = None
        while True:
            changed = self._changed
            state = self._states.get(request.service, SERVICE_UNKNOWN)
            if state != last:
                yield pb.HealthCheckResponse(status=state)
                last = state
            await changed.wait()
