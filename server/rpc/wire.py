# SPDX-License-Identifier: Apache-2.0
"""What protobuf's wire format is made of, for the few who read and write it without a message.

Source: protobuf.dev/programming-guides/encoding.
"""

from google.protobuf.message import Message

from server.forecasting.errors import InvalidRequestError

#: Wire types.
VARINT, FIXED64, LENGTH = 0, 1, 2


def tag(message: type[Message], field: str, wire_type: int) -> int:
    """What stands before a field's value; one byte where the field's number is below 16."""
    number: int = message.DESCRIPTOR.fields_by_name[field].number
    return number << 3 | wire_type


def varint(number: int) -> bytes:
    """A number in groups of seven bits, the lowest first."""
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def malformed(message: type[Message]) -> InvalidRequestError:
    """The error of bytes that are no such message."""
    name = message.DESCRIPTOR.full_name
    return InvalidRequestError.of("", f"the bytes are not a valid {name} message (is every string UTF-8?)")
