"""What the settings expect at a place of the file: which keys, and whether text. Asked by reading and wording."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from config.load.mistake import Place
from config.settings import Settings


def keys_at(place: Place) -> tuple[str, ...]:
    """The keys that the table at `place` knows; empty where any name is allowed."""
    return tuple(key for kind in _expected(place) if _is_table(kind) for key in kind.model_fields)


def is_text(place: Place) -> bool:
    """True where `5` or `true` would be meant as letters: a project number, a topic word."""
    kinds = [kind for kind in _expected(place) if get_origin(kind) not in (list, dict) and not _is_table(kind)]
    return bool(kinds) and all(kind in (str, SecretStr) or get_origin(kind) is Literal for kind in kinds)


def is_secret(place: Place) -> bool:
    """True where `file:/path` may stand and nothing may ever be printed."""
    return SecretStr in _expected(place)


def _expected(place: Place) -> list[Any]:
    kinds: list[Any] = [Settings]
    for part in place:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    return kinds


def _inside(kind: Any, part: str | int) -> list[Any]:
    if _is_table(kind):
        field = kind.model_fields.get(part)
        return _alternatives(field.annotation) if field else []
    if get_origin(kind) in (list, dict) and (get_origin(kind) is list) == isinstance(part, int):
        return _alternatives(get_args(kind)[-1])
    return []


def _alternatives(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for one in get_args(annotation) for kind in _alternatives(one)]
    return [] if annotation is NoneType else [annotation]


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
