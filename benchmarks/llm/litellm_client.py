# SPDX-License-Identifier: Apache-2.0
"""LiteLLM's Router under the same load. Runs in an environment of its own and knows nothing of ours."""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm  # type: ignore[import-not-found]

litellm.telemetry = False
litellm.suppress_debug_info = True


async def main() -> None:
    given = json.loads(sys.stdin.read())
    body = given["body"]
    parameters = {
        "model": f"openai/{body['model']}",
        "api_base": given["url"],
        "api_key": "sk-x",
    }
    router = litellm.Router(
        model_list=[{"model_name": "m", "litellm_params": parameters}], num_retries=0, timeout=30
    )

    async def call() -> None:
        made = await router.acompletion(
            model="m",
            messages=body["messages"],
            response_format=body["response_format"],
            max_completion_tokens=body["max_completion_tokens"],
        )
        json.loads(made.choices[0].message.content)

    await load(call, 2 * given["in_flight"], given["in_flight"])
    print(json.dumps(await load(call, given["calls"], given["in_flight"])))


async def load(call: Callable[[], Awaitable[None]], calls: int, in_flight: int) -> dict[str, Any]:
    latencies: list[float] = []
    left = iter(range(calls))

    async def caller() -> None:
        for _ in left:
            start = time.perf_counter()
            await call()
            latencies.append(time.perf_counter() - start)

    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    return {
        "calls": calls,
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "latencies_s": latencies,
    }


asyncio.run(main())
