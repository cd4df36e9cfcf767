"""The prompts of a promptfoo file, and the last user turn that one of them gives with a test's variables."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from config.load.mistake import Place
from evaluators import files
from evaluators.core.finding import BadCheck
from evaluators.importing.filling import Unfilled, filled
from evaluators.importing.source import Source

DEFAULT = "{{prompt}}"
"""promptfoo's own prompt where a file has none."""

_FILE = "file://"
_TEXTS = (".txt", ".md", ".j2", ".json", ".yaml", ".yml")


def prompts(source: Source) -> list[str]:
    """Every prompt as text; what is no text is noted."""
    written = source.values.get("prompts")
    if written is None:
        return [DEFAULT]
    found: list[str] = []
    for position, one in enumerate(written if isinstance(written, list) else [written]):
        place: Place = ("prompts", position) if isinstance(written, list) else ("prompts",)
        if isinstance(one, dict):
            one = one.get("raw") or one.get("id")
        if isinstance(one, str):
            found += _texts(source, place, one)
        else:
            source.refuse(place, "a prompt is a text or a file; write it so")
    return found


def asked(prompt: str, variables: Mapping[str, Any]) -> str:
    """The last user turn of a prompt; raises Unfilled where it asks for more, or has no such turn."""
    text = filled(prompt, variables)
    messages = _messages(text)
    if messages is None:
        return text
    turns = [one.get("content") for one in messages if one.get("role") == "user"]
    if not turns:
        raise Unfilled("this prompt has no user message; add one")
    last = turns[-1]
    if isinstance(last, list):
        return "\n".join(str(part.get("text", "")) for part in last if isinstance(part, dict))
    return str(last)


def _messages(text: str) -> list[dict[str, Any]] | None:
    if text.lstrip()[:1] not in ("[", "-", "{"):
        return None
    for reader in (json.loads, lambda written: files.parse(written, Path("prompt.yaml"))):
        try:
            found = reader(text)
        except (ValueError, yaml.YAMLError, BadCheck, RecursionError):
            continue
        found = found.get("messages") if isinstance(found, dict) else found
        if isinstance(found, list) and found and all(isinstance(one, dict) and "role" in one for one in found):
            return found
    return None


def _texts(source: Source, place: Place, prompt: str) -> Iterator[str]:
    name = prompt.removeprefix(_FILE)
    is_path = prompt.startswith(_FILE) or (name.endswith(_TEXTS) and "\n" not in name and "{{" not in name)
    if not is_path:
        yield prompt
        return
    if not name.endswith(_TEXTS):
        source.refuse(place, f"{prompt} is no text; write the prompt out, or save it as .txt or .json")
        return
    paths = sorted(glob.glob(str(source.path.absolute().parent / name), recursive=True))
    if not paths:
        source.refuse(place, f"there is no file {name}; correct the path")
    for path in map(Path, paths):
        try:
            text = files.content(path)
        except BadCheck as error:
            source.refuse(place, str(error))
            continue
        yield from (part.strip() for part in text.split("\n---\n")) if path.suffix == ".txt" else [text.strip()]
