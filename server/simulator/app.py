# SPDX-License-Identifier: Apache-2.0
"""The HTTP face: provider endpoints, and what a test may ask about them.

POST   each provider's own paths         see ``wire/``
GET    /ledger?model=NAME                every call and what it was billed; &entries=no: only the sums
DELETE /ledger                           forget calls, limits and overrides
PUT    /behaviour {"model", "behaviour"} change a model from now on
GET    /healthz                          "ok"
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web
from pydantic_core import from_json

from server.simulator.delivery import Delivery, Gone
from server.simulator.embeddings import GEMINI_PATHS, OPENAI_PATHS, embed
from server.simulator.faults import REFUSALS, Fault
from server.simulator.ledger import Entry
from server.simulator.service import Call, Service
from server.simulator.wire.exchange import Ask, ErrorBody, RefusedError, Wire, data, dump
from server.simulator.wire.gemini import Gemini
from server.simulator.wire.openai_chat import OpenAIChat

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MESSAGES = {
    Fault.RATE_LIMITED: "Rate limit reached for requests. Please try again later.",
    Fault.QUOTA: "You exceeded your current quota, please check your plan and billing details.",
    Fault.CONTEXT_LENGTH: "This model's maximum context length is 4096 tokens.",
    Fault.CONTENT_FILTER: "The response was filtered.",
}


def make_app(service: Service, wires: tuple[Wire, ...], closing: asyncio.Event) -> web.Application:
    """The application with every wire format under its paths."""
    app = web.Application(client_max_size=4 * 2**20)
    for spoken, paths in ((OpenAIChat(), OPENAI_PATHS), (Gemini(), GEMINI_PATHS)):
        for path in paths:
            app.router.add_post(path, partial(embed, service, spoken))
    for wire in wires:
        for path in wire.paths:
            app.router.add_post(path, partial(_provide, service, wire, closing))
    app.router.add_get("/ledger", partial(_ledger, service))
    app.router.add_delete("/ledger", partial(_reset, service))
    app.router.add_put("/behaviour", partial(_behave, service))
    app.router.add_get("/healthz", _health)
    app.router.add_get("/openrouter/api/v1/generation", partial(_generation, service))
    for prefix in ("/openai/v1", "/local/v1", "/v1", "/xai/v1", "/openrouter/api/v1", "/anthropic/v1"):
        app.router.add_get(f"{prefix}/models", _models)
    for prefix in ("/gemini/v1beta", "/gemini/v1"):
        app.router.add_get(f"{prefix}/models", _models)
    return app


async def _provide(
    service: Service, wire: Wire, closing: asyncio.Event, request: web.Request
) -> web.StreamResponse:
    key = wire.key(request.headers)
    entry = service.open(wire.name, "", key, stream=False)
    try:
        ask = wire.read(await _json(request), request.match_info, request.headers)
        entry.model, entry.stream = ask.model, ask.stream
        call = service.decide(ask, entry, key)
    except RefusedError as refused:
        error = wire.error(refused.fault, refused.message, refused.parameter, refused.wait_s)
        return _refuse(service, entry, error)
    if call.fault in REFUSALS:
        message = _MESSAGES.get(call.fault, f"Simulated failure: {call.fault.name.lower()}")
        if call.fault is Fault.AUTH:
            # The worst that a proxy can do: callers must not pass it on.
            message = f"Incorrect API key provided: {key}"
        return _refuse(service, entry, wire.error(call.fault, message, "", call.behaviour.retry_after_s))
    return await _deliver(service, Delivery(request, wire, ask, call, closing))


async def _deliver(service: Service, delivery: Delivery) -> web.StreamResponse:
    call = delivery.call
    try:
        response = await delivery.send()
    except asyncio.CancelledError:
        service.settle_disconnected(call.entry, call.usage, delivery.share)
        raise
    except ConnectionError:  # noticed in the middle of a write: no fault of ours, so nothing for the log
        service.settle_disconnected(call.entry, call.usage, delivery.share)
        return web.Response(status=500)  # never arrives, either
    except Gone as gone:
        service.settle(call.entry, "broken", call.usage.generated(gone.share) if gone.share else None)
        return web.Response(status=500)  # never arrives: the connection is gone
    _settle(service, call, delivery.ask)
    call.entry.status = response.status
    return response


def _settle(service: Service, call: Call, ask: Ask) -> None:
    unbilled = call.fault in (Fault.ERROR_IN_200, Fault.NOT_JSON)
    usage = call.usage.generated(0.5) if call.fault is Fault.STREAM_ERROR and ask.stream else call.usage
    service.settle(call.entry, "failed" if unbilled else "complete", None if unbilled else usage)


def _refuse(service: Service, entry: Entry, error: ErrorBody) -> web.Response:
    entry.status = error.status
    service.settle(entry, "refused")
    # Gemini blocks a prompt with status 200, in a stream as its only event.
    as_event = error.status == 200 and entry.stream
    return web.Response(
        status=error.status,
        body=data(error.body) if as_event else dump(error.body),
        headers={"Content-Type": "text/event-stream" if as_event else "application/json", **error.headers},
    )


async def _json(request: web.Request) -> dict[str, object]:
    try:
        body = from_json(await request.read())
    except ValueError as error:
        raise RefusedError(Fault.BAD_REQUEST, "We could not parse the JSON body of your request.") from error
    if not isinstance(body, dict):
        raise RefusedError(Fault.BAD_REQUEST, "The body must be a JSON object.")
    return body


async def _ledger(service: Service, request: web.Request) -> web.Response:
    report = service.ledger.report(request.query.get("model", ""))
    if request.query.get("entries") == "no":
        del report["entries"]
    return web.json_response(report)


async def _generation(service: Service, request: web.Request) -> web.Response:
    """OpenRouter's look-up of what a call has cost; unknown while the call is open."""
    entry = service.ledger.find(request.query.get("id", "").removeprefix("gen-"))
    if entry is None or entry.outcome == "open":
        return web.json_response({"error": {"code": 404, "message": "Generation not found"}}, status=404)
    found = {"id": f"gen-{entry.id}", "model": entry.model, "total_cost": entry.billed_nano_usd / 1e9}
    return web.json_response({"data": found | {"cancelled": entry.outcome == "disconnected"}})


async def _reset(service: Service, request: web.Request) -> web.Response:
    service.reset()
    return web.Response(status=204)


async def _behave(service: Service, request: web.Request) -> web.Response:
    try:
        body = await _json(request)
        service.behave(str(body["model"]), str(body["behaviour"]))
    except (RefusedError, KeyError, ValueError) as error:
        return web.json_response({"error": f"want model and behaviour: {error}"}, status=400)
    return web.Response(status=204)


async def _health(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _models(request: web.Request) -> web.Response:
    models = [{"id": "sim-fast", "object": "model", "created": 0, "owned_by": "simulator"}]
    return web.json_response({"object": "list", "data": models})
