"""The small languages of the file: durations (`250ms`, `5s`), sizes (`64KiB`), shares (`20%`). Used by settings."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 10**3, "MB": 10**6, "GB": 10**9}


def _amount(value: str, units: dict[str, Any], example: str) -> tuple[float, str]:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", value.strip())
    if match is None or match[2] not in units:
        raise ValueError(f"{value!r} is not understood; write it like {example} (units: {', '.join(units)})")
    return float(match[1]), match[2]


def seconds(value: Any) -> Any:
    """`250ms`, `5s`, `2m`, `1h`, `7d` to seconds; raises ValueError with the remedy.

    A bare number is refused: nobody remembers whether it would be seconds or milliseconds.
    """
    if isinstance(value, str):
        amount, unit = _amount(value, _SECONDS, "250ms, 5s or 2m")
        return amount * _SECONDS[unit]
    if isinstance(value, bool) or not isinstance(value, float):
        raise ValueError(f"{value!r} needs a unit; write it like 250ms, 5s or 2m")
    return value


def size(value: Any) -> Any:
    """`64KiB`, `1MiB` to bytes; a bare whole number is bytes."""
    if isinstance(value, str):
        amount, unit = _amount(value, _BYTES, "64KiB or 1MiB")
        return int(amount * _BYTES[unit])
    return value


def share(value: Any) -> Any:
    """`20%` or `0.2` to a number in [0, 1]."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value.strip())
        if match is None:
            raise ValueError(f"{value!r} is not understood; write it like 20% or 0.2")
        return float(match[1]) / 100
    return value


Duration = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str), Field(gt=0)]
Size = Annotated[int, BeforeValidator(size, json_schema_input_type=str | int), Field(gt=0)]
Share = Annotated[float, BeforeValidator(share, json_schema_input_type=str | float), Field(ge=0, le=1)]
