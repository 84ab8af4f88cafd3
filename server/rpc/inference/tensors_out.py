# SPDX-License-Identifier: Apache-2.0
"""Responses: always raw, one element for each output, in order; the widest set of clients reads that."""

from collections.abc import Sequence

import numpy as np

from server.inference.servable import Array, ModelForm, TensorForm
from server.rpc.inference.datatypes import BYTES, DATATYPES, texts, to_raw
from server.rpc.inference.faults import invalid
from server.rpc.inference.protocol import Pb, message
from server.rpc.inference.tensors_in import SHARED_MEMORY

InferResponse = message("ModelInferResponse")

#: Place of an output in the model's form, and how many of its largest elements are wanted; 0: all of them.
Wanted = Sequence[tuple[int, int]]


def wanted_from(request: Pb, form: ModelForm) -> Wanted:
    """Which outputs a request wants; all where it names none.

    Raises:
        StatusError: INVALID_ARGUMENT; the model has no such output, or it is asked for in a way not served.
    """
    if not request.outputs:
        return [(place, 0) for place in range(len(form.outputs))]
    places = {each.name: place for place, each in enumerate(form.outputs)}
    wanted = []
    for output in request.outputs:
        if output.name not in places:
            raise invalid(f"unexpected inference output {output.name!r} for model {form.name!r}")
        if SHARED_MEMORY in output.parameters:
            raise invalid(
                f"output {output.name!r}: this server has no shared memory regions; "
                "its values come in the response"
            )
        wanted.append((places[output.name], _top(output)))
    return wanted


def response(form: ModelForm, request_id: str, outputs: Sequence[Array], wanted: Wanted) -> Pb:
    """The answer to one request."""
    answer = InferResponse(model_name=form.name, model_version=str(form.version), id=request_id)
    for place, top in wanted:
        spec, values = form.outputs[place], outputs[place]
        datatype = BYTES if top else spec.datatype
        if top:
            values = largest(values, top, spec, batched=form.max_batch > 0)
        answer.outputs.add(name=spec.name, datatype=datatype, shape=values.shape)
        answer.raw_output_contents.append(to_raw(values, DATATYPES[datatype]))
    return answer


def largest(values: Array, count: int, spec: TensorForm, *, batched: bool) -> Array:
    """The largest elements of each item as "value:index[:label]", largest first: (B, count), or (count,)."""
    rows = values.reshape(len(values), -1) if batched else values.reshape(1, -1)
    count = min(count, rows.shape[1])
    order = np.argsort(-rows, axis=1, kind="stable")[:, :count]
    named = [
        _named(row[place], place, spec.labels)
        for row, places in zip(rows, order, strict=True)
        for place in places
    ]
    return texts(named).reshape((len(rows), count) if batched else (count,))


def _named(value: float, place: int, labels: Sequence[str]) -> str:
    label = f":{labels[place]}" if place < len(labels) else ""
    return f"{value:f}:{place}{label}"


def _top(output: Pb) -> int:
    if "classification" not in output.parameters:
        return 0
    value = output.parameters["classification"]
    if value.WhichOneof("parameter_choice") != "int64_param" or value.int64_param < 1:
        raise invalid(f"output {output.name!r}: 'classification' wants int64_param >= 1")
    return int(value.int64_param)
