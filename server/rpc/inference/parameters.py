# SPDX-License-Identifier: Apache-2.0
"""Parameters of a request: those that the protocol reserves, and those that are for the model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.inference.servable import Parameter, Wishes
from server.rpc.call import Call
from server.rpc.inference.faults import invalid
from server.rpc.inference.protocol import Pb

_CHOICE = "parameter_choice"
#: What the protocol keeps for other transports; no model sees it.
_RESERVED = frozenset({"binary_data", "binary_data_output", "binary_data_size", "headers", "classification"})
_EMPTY_FINAL = "triton_enable_empty_final_response"


@dataclass(frozen=True, slots=True)
class Given:
    """``wishes`` for the model; ``empty_final``: a decoupled stream ends with an empty response."""

    wishes: Wishes
    empty_final: bool = False


@dataclass(slots=True)
class _Reading:
    priority: int = 0
    timeout_s: float | None = None
    empty_final: bool = False
    sequence: Parameter = 0
    edges: bool = False
    own: dict[str, Parameter] = field(default_factory=dict)


def given_in(request: Pb, call: Call) -> Given:
    """What a request asks for beside its tensors.

    Raises:
        StatusError: INVALID_ARGUMENT; a parameter is of the wrong type, or reserved and unknown.
    """
    if not request.parameters:
        return Given(Wishes(deadline=call.deadline, caller=call.caller, keys=call.keys, trace=call.trace))
    reading = _read(request.parameters)
    if reading.edges and not reading.sequence:
        raise invalid("sequence_start and sequence_end need a sequence_id that is not 0 or empty")
    wishes = Wishes(
        reading.priority, reading.timeout_s, call.deadline, call.caller, call.keys, reading.own, call.trace
    )
    return Given(wishes, reading.empty_final)


def _read(parameters: Mapping[str, Pb]) -> _Reading:
    reading = _Reading()
    for name, value in parameters.items():
        if name == "priority":
            reading.priority = _whole(name, value)
        elif name == "timeout":
            reading.timeout_s = _whole(name, value) * 1e-6 or None
        elif name == "sequence_id":
            reading.sequence = _sequence_id(value)
        elif name in {"sequence_start", "sequence_end"}:
            reading.edges |= _flag(name, value)
        elif name == _EMPTY_FINAL:
            reading.empty_final = _flag(name, value)
        elif name.startswith("triton_"):
            raise invalid(f"parameter {name!r} is not known; names that begin with triton_ are reserved")
        elif name not in _RESERVED:
            reading.own[name] = _plain(name, value)
    return reading


def _whole(name: str, value: Pb) -> int:
    chosen = value.WhichOneof(_CHOICE)
    number: int = value.uint64_param if chosen == "uint64_param" else value.int64_param
    if chosen not in {"int64_param", "uint64_param"} or number < 0:
        raise invalid(f"parameter {name!r} wants a whole number >= 0 as int64_param")
    return number


def _flag(name: str, value: Pb) -> bool:
    if value.WhichOneof(_CHOICE) != "bool_param":
        raise invalid(f"parameter {name!r} wants bool_param")
    return bool(value.bool_param)


def _sequence_id(value: Pb) -> Parameter:
    chosen = value.WhichOneof(_CHOICE)
    if chosen not in {"int64_param", "uint64_param", "string_param"}:
        raise invalid("parameter 'sequence_id' wants int64_param or string_param")
    found: Parameter = getattr(value, chosen)
    return found


def _plain(name: str, value: Pb) -> Parameter:
    chosen = value.WhichOneof(_CHOICE)
    if chosen is None:
        raise invalid(f"parameter {name!r} has no value")
    if chosen == "uint64_param":
        raise invalid(f"parameter {name!r} is a uint64, which only 'priority' may be; use int64_param")
    found: Parameter = getattr(value, chosen)
    return found
