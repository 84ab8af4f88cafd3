# SPDX-License-Identifier: Apache-2.0
"""Looks after providers while nobody asks: probes sick ones, looks up what cut calls really cost."""

import asyncio
from collections.abc import Iterable

from server.forecasting.deadline import Deadline
from server.llm.breaker import Circuit
from server.llm.provider import Provider

#: Longest wait for the answer to a probe.
_PROBE_S = 5.0


async def watch(provider: Provider) -> None:
    """Run until cancelled. While a circuit is open the provider is probed, at no cost.

    A provider that answers is tried again at once instead of when the wait is
    over, so that an outage ends for us when it ends.
    """
    while True:
        await asyncio.sleep(provider.settings.probe_s)
        if _open(provider):
            await probe(provider)
        await provider.reconciler.settle(provider)


async def probe(provider: Provider) -> bool:
    """Whether the provider is there: any answer but a server error says so."""
    failure = await provider.probe(Deadline.after(_PROBE_S, provider.clock))
    if failure is None:
        for endpoint in provider.endpoints.values():
            endpoint.breaker.try_now()
    return failure is None


async def watch_all(providers: Iterable[Provider]) -> None:
    """Run until cancelled."""
    async with asyncio.TaskGroup() as group:
        for provider in providers:
            group.create_task(watch(provider))


def _open(provider: Provider) -> bool:
    return any(endpoint.breaker.state is Circuit.OPEN for endpoint in provider.endpoints.values())
