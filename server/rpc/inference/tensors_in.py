# SPDX-License-Identifier: Apache-2.0
"""Input tensors of a request, raw or typed, checked against what the model takes."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from server.inference.servable import Array, ModelForm, TensorForm
from server.rpc.inference.datatypes import DATATYPES, DataType, RawError, from_raw, texts
from server.rpc.inference.faults import invalid
from server.rpc.inference.protocol import Pb

#: A shape may ask for no more elements than this, whatever its dimensions multiply to.
MAX_ELEMENTS = 1 << 31
SHARED_MEMORY = "shared_memory_region"
#: Small integers travel in 32 bits; as in the reference server, only their low bytes count.
_CARRIERS = {"int_contents": np.dtype(np.int32), "uint_contents": np.dtype(np.uint32)}


def inputs_from(request: Pb, form: ModelForm) -> dict[str, Array]:
    """Every input by name, in its shape.

    Raises:
        StatusError: INVALID_ARGUMENT; names, datatypes, shapes or sizes do not fit the model.
    """
    given: Sequence[Pb] = request.inputs
    forms = {each.name: each for each in form.inputs}
    _check_names([tensor.name for tensor in given], forms, form)
    raw: Sequence[bytes] = request.raw_input_contents
    if raw and len(raw) != len(given):
        raise invalid(
            f"expected one raw input content for each of {len(given)} inputs of model {form.name!r}, "
            f"got {len(raw)}"
        )
    found = {}
    for index, tensor in enumerate(given):
        shape = tuple(tensor.shape)
        _check_tensor(tensor, shape, forms[tensor.name], form)
        content = raw[index] if raw else None
        found[tensor.name] = _values(tensor, content, math.prod(shape), form).reshape(shape)
    _check_batch(found, form)
    return found


def _check_names(names: Sequence[str], forms: Mapping[str, TensorForm], form: ModelForm) -> None:
    for name in names:
        if name not in forms:
            raise invalid(f"unexpected inference input {name!r} for model {form.name!r}")
    missing = [each.name for each in form.inputs if not each.optional and each.name not in names]
    if missing or len(set(names)) != len(names):
        raise invalid(
            f"expected {_counted(form)} but got {len(names)} inputs for model {form.name!r}. "
            f"Got input(s) {_listed(names)}, but missing required input(s) {_listed(missing)}. "
            "Please provide all required input(s), each once."
        )


def _counted(form: ModelForm) -> str:
    optional = sum(each.optional for each in form.inputs)
    least = len(form.inputs) - optional
    return f"{least} to {least + optional} inputs" if optional else f"{least} inputs"


def _check_tensor(tensor: Pb, shape: tuple[int, ...], expected: TensorForm, form: ModelForm) -> None:
    if tensor.datatype != expected.datatype:
        raise invalid(
            f"inference input {tensor.name!r} data-type is {tensor.datatype!r}, "
            f"but model {form.name!r} expects {expected.datatype!r}"
        )
    if tensor.parameters and SHARED_MEMORY in tensor.parameters:
        raise invalid(
            f"input {tensor.name!r}: this server has no shared memory regions; send the contents themselves"
        )
    wanted = (-1, *expected.shape) if form.max_batch else expected.shape
    if not _fits(shape, wanted):
        raise invalid(
            f"unexpected shape for input {tensor.name!r} for model {form.name!r}. "
            f"Expected {_bracketed(wanted)}, got {_bracketed(shape)}"
        )


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return (
        len(shape) == len(wanted)
        and min(shape, default=0) >= 0
        and all(fixed in {-1, size} for size, fixed in zip(shape, wanted, strict=True))
        and math.prod(shape) <= MAX_ELEMENTS
    )


def _check_batch(found: Mapping[str, Array], form: ModelForm) -> None:
    if not form.max_batch:
        return
    sizes = {len(array) for array in found.values()}
    if len(sizes) > 1:
        raise invalid(
            f"input batch sizes differ for model {form.name!r}: "
            + ", ".join(f"{name!r} has {len(array)}" for name, array in found.items())
        )
    for size in sizes:
        if not 1 <= size <= form.max_batch:
            raise invalid(
                f"inference request batch-size must be >= 1 and <= {form.max_batch} for {form.name!r}, "
                f"got {size}"
            )


def _values(tensor: Pb, raw: bytes | None, count: int, form: ModelForm) -> Array:
    kind = DATATYPES[tensor.datatype]
    if raw is None:
        return _typed(tensor, kind, count, form)
    if tensor.HasField("contents"):
        raise invalid(
            "contents field must not be specified when using raw_input_contents for "
            f"{tensor.name!r} for model {form.name!r}"
        )
    try:
        return from_raw(raw, kind, count)
    except RawError as error:
        raise invalid(
            f"unexpected total byte size for input {tensor.name!r} for model {form.name!r}: {error}"
        ) from None


def _typed(tensor: Pb, kind: DataType, count: int, form: ModelForm) -> Array:
    at = f"input {tensor.name!r} for model {form.name!r}"
    if not tensor.HasField("contents"):
        raise invalid(f"no contents were given for {at}, neither raw nor typed")
    if not kind.contents:
        raise invalid(f"{kind.name} has no typed contents; use raw_input_contents for {at}")
    used = [field.name for field, _ in tensor.contents.ListFields()]
    if any(name != kind.contents for name in used):
        raise invalid(f"{kind.name} wants {kind.contents} alone, got {', '.join(used)} for {at}")
    elements = getattr(tensor.contents, kind.contents)
    if len(elements) != count:
        raise invalid(f"unexpected number of elements for {at}: {len(elements)}, expected {count}")
    if kind.wire is None:
        return texts(elements)
    return np.array(elements[:], _CARRIERS.get(kind.contents, kind.wire)).astype(kind.wire)


def _bracketed(shape: Sequence[int]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _listed(names: Sequence[str]) -> str:
    return f"[{','.join(repr(name) for name in names)}]"
