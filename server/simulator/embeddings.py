# SPDX-License-Identifier: Apache-2.0
"""Embeddings in OpenAI's and in Gemini's format.

A simulated vector is made of a text's words alone: the same words in any order
have the same vector, texts without a word in common are at right angles.
"""

import asyncio
import hashlib
import math
import re

from aiohttp import web

from server.simulator.faults import REFUSALS, Fault
from server.simulator.ledger import Usage
from server.simulator.service import Service, tokens
from server.simulator.wire.exchange import Ask, Json, RefusedError, Wire

DIMENSIONS = 256
OPENAI_PATHS = tuple(
    f"{prefix}/embeddings" for prefix in ("/openai/v1", "/local/v1", "/v1", "/xai/v1", "/openrouter/api/v1")
)
GEMINI_PATHS = tuple(f"/gemini/{v}/models/{{model}}:batchEmbedContents" for v in ("v1", "v1beta"))
_WORD = re.compile(r"\w+")


def vector(text: str) -> list[float]:
    """(DIMENSIONS,) of length 1."""
    values = [0.0] * DIMENSIONS
    for word in _WORD.findall(text.casefold()) or [""]:
        place = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
        values[place % DIMENSIONS] += 1.0
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


async def embed(service: Service, wire: Wire, request: web.Request) -> web.StreamResponse:
    """Answer one request, with the latency and the refusals that the model's name asks for."""
    key = wire.key(request.headers)
    body: Json = await request.json()
    model, texts = _asked(body, request.match_info.get("model", ""))
    entry = service.open(wire.name, model, key, stream=False)
    try:
        call = service.decide(Ask(model, "\n".join(texts)), entry, key)
        if call.fault in REFUSALS:
            raise RefusedError(call.fault, f"Simulated failure: {call.fault.name.lower()}")
    except RefusedError as refused:
        error = wire.error(refused.fault, refused.message, refused.parameter, refused.wait_s)
        entry.status = error.status
        service.settle(entry, "refused")
        return web.json_response(error.body, status=error.status, headers=dict(error.headers))
    usage = Usage(input_uncached=sum(tokens(text) for text in texts))
    try:
        await (asyncio.Event().wait() if call.fault is Fault.HANG else asyncio.sleep(call.latency_s))
    except asyncio.CancelledError:
        service.settle_disconnected(entry, usage, 0.0)
        raise
    entry.status = 200
    service.settle(entry, "complete", usage)
    return web.json_response(_answer(model, texts, usage, gemini=bool(request.match_info.get("model"))))


def _asked(body: Json, model: str) -> tuple[str, list[str]]:
    if model:
        parts = [part for one in body["requests"] for part in one["content"]["parts"]]
        return model, [str(part["text"]) for part in parts]
    texts = body["input"]
    return str(body["model"]), [texts] if isinstance(texts, str) else [str(text) for text in texts]


def _answer(model: str, texts: list[str], usage: Usage, *, gemini: bool) -> Json:
    if gemini:
        return {"embeddings": [{"values": vector(text)} for text in texts]}
    return {
        "object": "list",
        "model": model,
        "data": [
            {"object": "embedding", "index": index, "embedding": vector(text)}
            for index, text in enumerate(texts)
        ],
        "usage": {"prompt_tokens": usage.prompt, "total_tokens": usage.prompt},
    }
