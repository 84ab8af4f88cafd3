# SPDX-License-Identifier: Apache-2.0
"""Tensors as questions, and parameters as wishes."""

from collections.abc import Mapping
from typing import Any

from consilience.v1 import prediction_pb2, question_pb2
from server.engine.request import PredictionRequest
from server.forecasting.question import Question
from server.inference.servable import Array, Parameter, TensorForm, Wishes
from server.rpc.inference.faults import invalid
from server.rpc.options_in import MAX_MEMBERS, MAX_SECONDS, options_from
from server.rpc.question_in import question_from
from server.rpc.rules import Rules

MAX_REQUEST_ID = 128
#: The inputs of a question ensemble. One of the first two must be there.
QUESTION_INPUTS = (
    TensorForm("question", "BYTES", (1,), optional=True),
    TensorForm("question_id", "BYTES", (1,), optional=True),
    TensorForm("outcomes", "BYTES", (-1,), optional=True),
    TensorForm("background", "BYTES", (1,), optional=True),
    TensorForm("resolution_criteria", "BYTES", (1,), optional=True),
    TensorForm("category", "BYTES", (1,), optional=True),
    TensorForm("market_probability", "FP64", (1,), optional=True),
)
_TEXTS = {
    "question": "text",
    "question_id": "id",
    "background": "background",
    "resolution_criteria": "resolution_criteria",
    "category": "category",
}
_KINDS: dict[str, tuple[type, ...]] = {
    "pooling": (str,),
    "execution": (str,),
    "selection": (str,),
    "calibration": (str,),
    "min_responses": (int,),
    "min_agreement": (float,),
    "high_agreement": (float,),
    "early_stop_threshold": (float,),
    "share_market_price": (bool,),
}
_REQUEST_ID, _DEADLINE = "request_id", "deadline_ms"
_MOST_MS = 1000 * MAX_SECONDS


def questions_from(inputs: Mapping[str, Array]) -> list[Question]:
    """One question for each item of the batch.

    Raises:
        StatusError: INVALID_ARGUMENT; there is neither text nor id, or a text is not UTF-8.
        InvalidRequestError: a question breaks a rule.
    """
    if not {"question", "question_id"} & inputs.keys():
        raise invalid("give the input 'question', a text, or 'question_id', which the catalogue knows")
    size = len(next(iter(inputs.values())))
    rules = Rules()
    found = [question_from(_message(inputs, item), rules, f"item {item}") for item in range(size)]
    rules.check()
    return found


def _message(inputs: Mapping[str, Array], item: int) -> question_pb2.Question:
    fields: dict[str, Any] = {
        field: _text(name, inputs[name][item, 0]) for name, field in _TEXTS.items() if name in inputs
    }
    message = question_pb2.Question(**fields)
    if "outcomes" in inputs:
        message.exclusive.outcomes.extend(_text("outcomes", name) for name in inputs["outcomes"][item])
    if "market_probability" in inputs:
        message.market_probability = float(inputs["market_probability"][item, 0])
    return message


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise invalid(f"input {name!r} holds bytes that are not UTF-8") from None


def requests_from(questions: list[Question], ensemble: str, wishes: Wishes) -> list[PredictionRequest]:
    """One engine request for each question, sharing the caller's wishes.

    Raises:
        StatusError: INVALID_ARGUMENT; a parameter is unknown or of the wrong type.
        InvalidRequestError: a wish breaks a rule.
    """
    rules = Rules()
    message = prediction_pb2.PredictOptions(ensemble=ensemble)
    request_id = ""
    for name, value in wishes.parameters.items():
        if name == _REQUEST_ID:
            request_id = rules.text(name, str(value), MAX_REQUEST_ID, printable=True)
        elif name == _DEADLINE:
            message.deadline.FromMicroseconds(round(1000 * _in_range(name, number(name, value), _MOST_MS)))
        else:
            setattr(message, name, _wish(name, value))
    options = options_from(message, rules, "parameters")
    rules.check()
    ids = [
        request_id and (request_id if len(questions) == 1 else f"{request_id}/{i}")
        for i in range(len(questions))
    ]
    return [
        PredictionRequest(
            question, options, one_id, wishes.caller, wishes.deadline, wishes.keys, trace=wishes.trace
        )
        for question, one_id in zip(questions, ids, strict=True)
    ]


def number(name: str, value: Parameter) -> float:
    """A parameter that is a number.

    Raises:
        StatusError: INVALID_ARGUMENT; it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"parameter {name!r} wants int64_param or double_param")
    return value


def whole_number(name: str, value: Parameter, most: int) -> int:
    """A parameter that is a whole number in 0..most.

    Raises:
        StatusError: INVALID_ARGUMENT; it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(f"parameter {name!r} wants int64_param")
    return int(_in_range(name, value, most))


def _in_range(name: str, value: float, most: float) -> float:
    if not 0 <= value <= most:  # neither is NaN
        raise invalid(f"parameter {name!r} must be in 0..{most:,.0f}, got {value:g}")
    return value


def _wish(name: str, value: Parameter) -> Parameter:
    kinds = _KINDS.get(name)
    if kinds is None:
        known = ", ".join([*_KINDS, _REQUEST_ID, _DEADLINE])
        raise invalid(f"parameter {name!r} is not known to this model; it knows {known}")
    if kinds == (float,):
        return number(name, value)
    if kinds == (int,):
        return whole_number(name, value, MAX_MEMBERS)
    if type(value) not in kinds:
        raise invalid(f"parameter {name!r} wants a {kinds[0].__name__}")
    return value
