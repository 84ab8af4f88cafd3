# SPDX-License-Identifier: Apache-2.0
"""A record as JSON text and back, without losing a bit.

Floats are written in the shortest form that reads back to the same bits; NaN
and the infinities as the constants that Python's ``json`` knows. A NaN's sign
and payload are not kept: nothing computes with them.
"""

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticSerializationError

from server.forecasting.errors import RecordError
from server.forecasting.prediction import PredictionRecord
from server.forecasting.question import Binary, Exclusive, FreeText, Numeric, Question
from server.storage.errors import StorageError

#: Raised by one when a field changes its meaning; a new field with a default needs no raise.
SCHEMA_VERSION = 1

KINDS = {"binary": Binary, "exclusive": Exclusive, "numeric": Numeric, "free_text": FreeText}
KIND_NAMES = {kind: name for name, kind in KINDS.items()}


class Document(BaseModel):
    """What is stored. ``kind`` tells binary from exclusive, whose fields are the same."""

    # On a model, not on a dataclass: only there does the setting reach the members of a union.
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    schema_version: int
    kind: str
    record: PredictionRecord


def encode(record: PredictionRecord) -> bytes:
    """The record as UTF-8 JSON.

    Raises:
        RecordError: it holds something that JSON cannot, such as half a surrogate pair.
    """
    kind = KIND_NAMES[type(record.question.kind)]
    document = Document.model_construct(schema_version=SCHEMA_VERSION, kind=kind, record=record)
    try:
        return document.__pydantic_serializer__.to_json(document)
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        msg = f"prediction {record.prediction.id!r} cannot be written as JSON: {error}"
        raise RecordError(msg) from None


def decode(text: str) -> PredictionRecord:
    """The record that was encoded.

    Raises:
        StorageError: the text is damaged, or of a later version.
    """
    try:
        document = Document.model_validate_json(text)
    except ValidationError as error:
        msg = f"a stored prediction cannot be read: {error.error_count()} faults, first {_first(error)}"
        raise StorageError(msg) from None
    if document.schema_version > SCHEMA_VERSION:
        msg = f"a stored prediction has version {document.schema_version}; this server reads {SCHEMA_VERSION}"
        raise StorageError(msg)
    return replace(document.record, question=_of_kind(document.record.question, document.kind))


def _of_kind(question: Question, name: str) -> Question:
    kind = question.kind
    if name == "exclusive" and isinstance(kind, Binary):
        return replace(question, kind=Exclusive(kind.outcomes))
    return question


def _first(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
