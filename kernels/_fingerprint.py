# SPDX-License-Identifier: Apache-2.0
"""What machine code was made from, as a short hash.

numba copies into a kernel's machine code every function that it calls and
every constant that it reads, wherever they are defined. The fingerprint covers
all of them, to any depth: byte code, constants and compile options. Comments,
docstrings' places, file names and time stamps are not in it.
"""

import hashlib
from collections.abc import Callable
from enum import Enum
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

import numpy as np

LENGTH = 16
ROOM = __name__.partition(".")[0]

_known: dict[FunctionType, str] = {}


def fingerprint(function: Callable[..., Any]) -> str:
    """Hash of a plain or compiled function and of all that it reads; the same in every process."""
    plain = cast("FunctionType", getattr(function, "py_func", function))
    if plain not in _known:
        _known[plain] = "recursive"
        described = _options(function), _code(plain.__code__), *_read_by(plain)
        _known[plain] = hashlib.sha256(repr(described).encode()).hexdigest()[:LENGTH]
    return _known[plain]


def _options(function: Callable[..., Any]) -> object:
    return _canonical(getattr(function, "targetoptions", {}))


def _code(code: CodeType) -> object:
    constants = (_code(c) if isinstance(c, CodeType) else _canonical(c) for c in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, *constants


def _names(code: CodeType) -> list[str]:
    inner = [name for c in code.co_consts if isinstance(c, CodeType) for name in _names(c)]
    return [*code.co_names, *inner]


def _read_by(plain: FunctionType) -> list[object]:
    names = _names(plain.__code__)
    cells = [_value(cell.cell_contents, names) for cell in plain.__closure__ or ()]
    read = [(name, plain.__globals__[name]) for name in names if name in plain.__globals__]
    return [*cells, *((name, _value(value, names)) for name, value in read)]


def _value(value: Any, names: list[str]) -> object:
    """What a name stands for; of another module of this room, only what the function names in it."""
    if isinstance(value, ModuleType):
        if value.__name__.partition(".")[0] != ROOM:
            return value.__name__
        return [(name, _value(vars(value)[name], [])) for name in names if name in vars(value)]
    if isinstance(value, FunctionType) or hasattr(value, "py_func"):
        return fingerprint(value)
    return _canonical(value)


def _canonical(value: Any) -> object:
    """The value in a form whose repr is the same in every process."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, dict):
        return sorted((repr(k), repr(_canonical(v))) for k, v in value.items())
    if isinstance(value, set | frozenset):
        return sorted(repr(_canonical(v)) for v in value)
    if isinstance(value, Enum):
        return str(value), value.value
    return value if isinstance(value, int | float | complex | str | bytes | tuple) else repr(value)
