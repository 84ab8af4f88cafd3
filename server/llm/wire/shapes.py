# SPDX-License-Identifier: Apache-2.0
"""Parts of an answer as the shapes they should have; what has another shape counts as not there.

A gateway may send anything under HTTP 200. An answer that is not what the format
says must become a bad output, never an exception: the attempt has to be booked,
the ladder and the fallbacks have to go on.
"""

from typing import Any

from server.llm.untrusted import visible
from server.llm.wire.format import Json

#: Longest name that is kept, in characters.
_LONGEST_LABEL = 200


def table(value: Any) -> Json:
    """An object; else an empty one."""
    return value if isinstance(value, dict) else {}


def tables(value: Any) -> list[Json]:
    """The objects of a list; else none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def label(value: Any) -> str:
    """A name, an id or the like, fit to be shown and stored: nothing invisible, and not endless."""
    return visible(str(value), _LONGEST_LABEL)


def words(value: Any) -> str:
    """A text; else an empty one."""
    return value if isinstance(value, str) else ""
