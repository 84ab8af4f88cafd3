# SPDX-License-Identifier: Apache-2.0
"""Writes ``docs/configuration.md`` from the settings themselves.

python docs/generate.py
"""

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from server.config import Settings

PAGE = Path(__file__).with_name("configuration.md")
HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by docs/generate.py from the settings; do not edit. -->
# Configuration

One TOML file, given with `consilience serve --config FILE`; without one, `server/quickstart.toml`. Any key
can be overridden in the environment: `CONSILIENCE_RPC__LISTEN=127.0.0.1:6000` is `[rpc] listen`. Unknown keys
are refused with their path; `consilience config check FILE` checks a file without starting anything. Secrets
are references, `env:NAME` or `file:/path`, never values. `NAME` stands for a name of your own.
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_table(title, model) for title, model in _tables(Settings, ""))


def _tables(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        for inner, named in _models(field.annotation):
            below = f"{path}.{name}".lstrip(".") + (".NAME" if named else "")
            yield from _tables(inner, below)


def _models(annotation: Any, named: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, named
    for argument in get_args(annotation):
        yield from _models(argument, named or get_origin(annotation) is dict)


def _table(path: str, model: type[BaseModel]) -> str:
    # The heading says the kind.
    rows = [
        _row(name, field)
        for name, field in model.model_fields.items()
        if not list(_models(field.annotation)) and name != "kind"
    ]
    if not rows:
        return ""
    kind = model.model_fields.get("kind")
    suffix = f' with `kind = "{get_args(kind.annotation)[0]}"`' if kind else ""
    title = f"`[{path}]`{suffix}" if path else "Top level"
    text = (model.__doc__ or "").strip().split("\n\n")[0]
    return (
        f"\n## {title}\n\n{text}\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n"
        + "".join(rows)
    )


def _row(name: str, field: FieldInfo) -> str:
    default = (
        "required"
        if field.default is PydanticUndefined and field.default_factory is None
        else _default(field)
    )
    return f"| `{name}` | {_type(field.annotation)} | {default} | {field.description or ''} |\n"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "none"
    return f"`{value}`" if str(value) else "empty"


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in {Union, UnionType}:
        return " or ".join(_type(argument) for argument in arguments if argument is not type(None))
    if origin in {dict, tuple, list}:
        inner = ", ".join(_type(argument) for argument in arguments if argument is not Ellipsis)
        return f"{'table' if origin is dict else 'list'} of {inner}"
    if arguments:
        return " or ".join(
            f"`{argument}`" if isinstance(argument, str) else _type(argument) for argument in arguments
        )
    if isinstance(annotation, type) and hasattr(annotation, "__members__"):
        return " or ".join(f"`{member.value}`" for member in annotation)
    return getattr(annotation, "__name__", str(annotation))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
