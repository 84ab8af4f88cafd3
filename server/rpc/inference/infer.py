# SPDX-License-Identifier: Apache-2.0
"""``ModelInfer`` and ``ModelStreamInfer``: tensors in, tensors out."""

from collections.abc import AsyncIterator

from server.inference.servable import Bounded
from server.rpc.bind import Refusal, looking_first
from server.rpc.call import Call
from server.rpc.inference.asked import Asked, answer_to
from server.rpc.inference.catalogue import ModelCatalogue
from server.rpc.inference.conversation import Conversation
from server.rpc.inference.faults import full, unimplemented
from server.rpc.inference.first_look import asked_for
from server.rpc.inference.parameters import given_in
from server.rpc.inference.protocol import Pb
from server.rpc.inference.tensors_in import inputs_from
from server.rpc.inference.tensors_out import wanted_from


class InferHandlers:
    """One coroutine for each method, free of any transport."""

    def __init__(self, catalogue: ModelCatalogue) -> None:
        self._catalogue = catalogue

    def _refused_unread(self, request: bytes, remaining_s: float | None) -> Refusal | None:
        """What a request is told that comes to a full queue; None for all others."""
        named = asked_for(request)
        model = self._catalogue.find(*named) if named else None
        if not isinstance(model, Bounded):
            return None
        error = model.refusal(remaining_s)
        return None if error is None else full(error, model.form.name)

    @looking_first(_refused_unread)
    async def model_infer(self, request: Pb, call: Call) -> Pb:
        """One request, one response."""
        asked = self._asked(request, call)
        if asked.form.decoupled:
            raise unimplemented(
                "ModelInfer RPC doesn't support models with decoupled transaction policy; "
                f"use ModelStreamInfer for {asked.form.name!r}"
            )
        return await answer_to(asked)

    async def model_stream_infer(self, requests: AsyncIterator[Pb], call: Call) -> AsyncIterator[Pb]:
        """Many requests; an error of one is a response of its own, unless the caller wants it to end all."""
        conversing = Conversation(
            requests, lambda request: self._asked(request, call), self._version_of, call
        )
        async with conversing as conversation:
            async for answer in conversation.responses():
                yield answer

    def _version_of(self, request: Pb) -> str:
        model = self._catalogue.find(request.model_name, request.model_version)
        return str(request.model_version) if model is None else str(model.form.version)

    def _asked(self, request: Pb, call: Call) -> Asked:
        model = self._catalogue.get(request.model_name, request.model_version)
        form = model.form
        given = given_in(request, call)
        return Asked(
            model,
            form,
            inputs_from(request, form),
            given.wishes,
            wanted_from(request, form),
            request.id,
            given.empty_final,
        )
