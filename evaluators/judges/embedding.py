"""The door for vectors: an OpenAI-compatible `/v1/embeddings` endpoint, asked once per text. Made by judges."""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from math import isfinite
from typing import Any

from config.settings import Embeddings
from evaluators.core.finding import DoorFailed
from evaluators.judges.posting import Posting

MOST_TEXTS = 64  # in one question; a check asks for two to a few
MOST_CHARACTERS = 20_000
"""Of one text; about 5,000 tokens of the 8,192 that OpenAI's models take. What is longer is judged by its beginning."""
MOST_KEPT = 2_048  # vectors; of 3,072 numbers each they take 25 MB
MOST_BYTES = 32 * 1024 * 1024  # 64 vectors of 3,072 numbers are 4 MB of JSON
WHAT = "embeddings endpoint"


class Embedding:
    """Asks the endpoint, and remembers what was asked last. Safe to use from several threads."""

    def __init__(self, posting: Posting, endpoint: Embeddings, *, most_kept: int = MOST_KEPT) -> None:
        self._posting, self._endpoint, self._most_kept = posting, endpoint, most_kept
        base = str(endpoint.base_url).rstrip("/").removesuffix("/v1")
        self._url = f"{base}/v1/embeddings"
        key = endpoint.api_key
        self._headers = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
        self._kept: OrderedDict[bytes, Sequence[float]] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Embedding of {self._endpoint.model}, {len(self._kept)} kept>"

    def embed(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """One vector per text, in their order; raises DoorFailed."""
        cut = [text[:MOST_CHARACTERS] for text in texts]
        keys = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in cut]
        found = self._remembered(keys)
        missing = {key: text for key, text in zip(keys, cut, strict=True) if key not in found}
        for first in range(0, len(missing), MOST_TEXTS):
            some = dict(list(missing.items())[first : first + MOST_TEXTS])
            found |= dict(zip(some, self._asked(list(some.values())), strict=True))
        self._remember(found)
        return [found[key] for key in keys]

    def _asked(self, texts: list[str]) -> list[Sequence[float]]:
        answer = self._posting.post(
            WHAT,
            self._url,
            {"model": self._endpoint.model, "input": texts, "encoding_format": "float"},
            headers=self._headers,
            within=self._endpoint.timeout,
            most=MOST_BYTES,
        )
        vectors = _vectors(answer, len(texts))
        if len({len(vector) for vector in vectors}) != 1:
            raise DoorFailed(f"the {WHAT} answered with something else than one vector for each text")
        return vectors

    def _remembered(self, keys: Sequence[bytes]) -> dict[bytes, Sequence[float]]:
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
            return found

    def _remember(self, found: dict[bytes, Sequence[float]]) -> None:
        with self._lock:
            self._kept.update(found)
            while len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)


def _vectors(answer: Any, count: int) -> list[Sequence[float]]:
    """The vectors by their `index`; [] for what is not one vector for each."""
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list) or len(data) != count:
        return []
    places: dict[int, Sequence[float]] = {}
    for position, one in enumerate(data):
        vector = one.get("embedding") if isinstance(one, dict) else None
        if not isinstance(vector, list) or not vector or not all(map(_is_number, vector)):
            return []
        index = one.get("index", position)
        places[index if isinstance(index, int) else -1] = array("f", vector)
    return [places[at] for at in range(count)] if set(places) == set(range(count)) else []


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and isfinite(value) and abs(value) < 1e30  # what 32 bits hold
