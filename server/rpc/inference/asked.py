# SPDX-License-Identifier: Apache-2.0
"""One request for tensors, checked, and the answer to it."""

from dataclasses import dataclass

from server.inference.errors import InferenceError
from server.inference.servable import Array, ModelForm, Servable, Wishes
from server.rpc.inference.faults import fault
from server.rpc.inference.protocol import Pb
from server.rpc.inference.tensors_out import Wanted, response


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, checked."""

    model: Servable
    form: ModelForm
    inputs: dict[str, Array]
    wishes: Wishes
    wanted: Wanted
    request_id: str
    empty_final: bool


async def answer_to(asked: Asked) -> Pb:
    """The response of an ordinary model.

    Raises:
        StatusError: the model has no answer.
    """
    try:
        outputs = await asked.model.answer(asked.inputs, asked.wishes)
    except InferenceError as error:
        raise fault(error, asked.form.name) from error
    return response(asked.form, asked.request_id, outputs, asked.wanted)
