"""What was carried over, as YAML for a person to read on. Neighbour: promptfoo, which carries."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from config.load.document import retyped
from evaluators.importing.promptfoo import Carried

GOLDEN = "golden"

_HEAD = "# Carried over from {name}: put this into the configuration, beside `live:` and `candidates:`.\n"
_VARIABLE = re.compile(r"\$(?=[${])")
_BREAK = re.compile("[\x85\u2028\u2029]")  # ends a line of YAML 1.1: read back unquoted, it is a space or another break


def files_of(found: Carried, source: Path, out: Path) -> dict[Path, str]:
    """Every file to be written, with its text: the configuration, and the golden set beside it."""
    if not found.golden:
        return {out: configuration(found, source)}
    golden = out.with_suffix(".golden.yaml")
    return {out: configuration(found, source, f"file://{golden.name}"), golden: _yaml(found.golden)}


def configuration(found: Carried, source: Path, golden: Any = None) -> str:
    """The keys `templates:` and `checks:`; the golden set stands inside unless its file is named."""
    checks = list(found.checks)
    if found.golden:
        value = golden if golden is not None else found.golden
        taken = {one.get("name", one.get("type")) for one in checks}
        named = {} if GOLDEN not in taken else {"name": "golden set"}
        checks.append({"type": "golden", **named, "value": value})
    content = {"templates": found.templates} if found.templates else {}
    return _HEAD.format(name=source.name) + _yaml(
        _without_variables({**content, "checks": [_bare(one) for one in checks]})
    )


def _bare(check: dict[str, Any]) -> dict[str, Any]:
    """A check whose template has its type does not say it again."""
    shown = {key: value for key, value in check.items() if key != "type" or "$ref" not in check}
    return {**shown, "assert": [_bare(one) for one in shown["assert"]]} if "assert" in shown else shown


def _without_variables(found: Any) -> Any:
    """Texts that would begin a `${VARIABLE}` in the configuration, written so that they do not."""
    if isinstance(found, dict):
        return {key: _without_variables(one) for key, one in found.items()}
    if isinstance(found, list):
        return [_without_variables(one) for one in found]
    return _VARIABLE.sub("$$", found) if isinstance(found, str) else found


class _Plain(yaml.SafeDumper):
    """Texts in quotes where YAML 1.2 would take them for something else; no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    quoted = not isinstance(retyped(text), str) or _BREAK.search(text)
    style = '"' if quoted else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Plain.add_representer(str, _text)


def _yaml(content: Any) -> str:
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
