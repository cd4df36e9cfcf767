"""What no single key can tell: names that clash, gates that point nowhere. Asked by reading once the tables are valid.

A rule names the top-level keys it reads, so that it is left out when one of them has a mistake of its own: a check
that could not be read must not make its gate look wrong too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from config.load.mistake import Place
from config.settings import Check, Settings

SLICES = ("route", "model", "turn", "topic", "tools", "response_format", "prompt_length", "stream", "language")
"""What a call can be sliced by, besides `tag:NAME` for every name in capture.tags."""

RESERVED = ("live", "control")
"""Arms of every report; no candidate may be called so."""

CREDENTIALS = frozenset(
    "authorization proxy-authorization cookie set-cookie x-api-key api-key x-goog-api-key x-amz-security-token".split()
)
"""Never captured, whatever the file says: what enters the queue holds no credential."""


_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


class Clash(NamedTuple):
    """One contradiction: where, which word, and what to do."""

    place: Place
    word: str
    message: str


def clashes(settings: Settings, damaged: frozenset[str] = frozenset()) -> list[Clash]:
    """Every contradiction, leaving out the rules that read a damaged top-level key."""
    return [clash for reads, rule in _RULES if not damaged & set(reads) for clash in rule(settings)]


def _candidate_names(settings: Settings) -> Iterator[Clash]:
    places: list[Place] = [("candidates", number, "name") for number in range(len(settings.candidates))]
    names = [candidate.name for candidate in settings.candidates]
    for prefix, mount in settings.mounts.items():
        places += [("mounts", prefix, "candidates", number, "name") for number in range(len(mount.candidates))]
        names += [candidate.name for candidate in mount.candidates]
    for position, name in _repeated(names):
        yield Clash(places[position], name, f"two candidates are called {name}; rename one")
    for position, name in enumerate(names):
        if name in RESERVED:
            why = f"{name} is the name of an arm in every report; choose another name"
            yield Clash(places[position], name, why)


def _framing_headers(settings: Settings) -> Iterator[Clash]:
    for route in settings.routes:
        top: Place = ("mounts", route.prefix) if route.prefix else ()
        for position, candidate in enumerate(route.candidates):
            for header in candidate.headers:
                if header.lower() in _FRAMING:
                    why = f"{header} belongs to the connection and is set by the proxy; leave it out"
                    yield Clash((*top, "candidates", position, "headers", header), header, why)


def _asked_twice(settings: Settings) -> Iterator[Clash]:
    for route in settings.routes:
        top: Place = ("mounts", route.prefix) if route.prefix else ()
        for position, candidate in enumerate(route.candidates):
            most = min(candidate.sample, route.control.sample)
            if candidate.again > most:
                why = (
                    f"{candidate.name} is asked twice on calls that live and it are asked on: "
                    f"write at most {most:.10g}, the smaller of its `sample` and control's"
                )
                yield Clash((*top, "candidates", position, "again"), "", why)


def _addresses(settings: Settings) -> Iterator[Clash]:
    doors: list[tuple[Place, str]] = [
        (("listen",), settings.listen),
        (("ops",), settings.ops),
        (("dashboard", "listen"), settings.dashboard.listen),
    ]
    for position, address in _repeated([address for _, address in doors]):
        if not address.endswith(":0"):
            yield Clash(doors[position][0], address, f"{address} is already taken by another key; give another port")


def _urls(settings: Settings) -> Iterator[Clash]:
    for key, url, schemes in (
        ("queue", settings.queue.url, ("redis://", "rediss://", "unix://")),
        ("store", settings.store.url, ("sqlite:", "postgresql:", "postgresql+psycopg:")),
    ):
        if url is not None and not url.get_secret_value().startswith(schemes):
            yield Clash((key, "url"), "", f"begin it with one of {', '.join(schemes)}; leave it out for the default")


def _no_credentials(settings: Settings) -> Iterator[Clash]:
    why = "this header holds a credential, and what is captured is stored; leave it out"
    for position, header in enumerate(settings.capture.headers):
        if header.lower() in CREDENTIALS:
            yield Clash(("capture", "headers", position), header, why)
    for name, source in settings.capture.tags.items():
        if source.removeprefix("header:").lower() in CREDENTIALS:
            yield Clash(("capture", "tags", name), source, why)


def _slice_keys(settings: Settings) -> Iterator[Clash]:
    for position, key in enumerate(settings.slices):
        yield from _slice_key(settings, ("slices", position), key)
    for position, key in _repeated(settings.slices):
        yield Clash(("slices", position), key, f"{key} is listed twice; keep one")


def _when_keys(settings: Settings) -> Iterator[Clash]:
    for position, check in enumerate(settings.checks):
        for key in check.when:
            yield from _slice_key(settings, ("checks", position, "when", key), key)


def _slice_key(settings: Settings, place: Place, key: str) -> Iterator[Clash]:
    tags = settings.capture.tags
    if key.startswith("tag:") and key.removeprefix("tag:") not in tags:
        known = ", ".join(tags) or "none so far"
        yield Clash(place, key, f"{key} is not in capture.tags (there: {known}); add it there or correct the name")
    elif not key.startswith("tag:") and key not in SLICES:
        yield Clash(place, key, f"{key} is no slice; write one of {', '.join(SLICES)}, or tag:NAME")


def _labels(settings: Settings) -> Iterator[Clash]:
    for position, label in _repeated([check.label for check in settings.checks]):
        why = f"two checks are called {label}; give this one a `name:` of its own"
        yield Clash(("checks", position), label, why)


def _gate_names(settings: Settings) -> Iterator[Clash]:
    for position, name in _repeated([gate.name for gate in settings.gates]):
        yield Clash(("gates", position, "name"), name, f"two gates are called {name}; rename one")


def _gate_checks(settings: Settings) -> Iterator[Clash]:
    checks = {check.label: check for check in settings.checks}
    for position, gate in enumerate(settings.gates):
        if gate.check is None:
            continue
        place = ("gates", position, "check")
        if gate.check not in checks:
            yield Clash(place, gate.check, f"no check is called {gate.check}; known: {', '.join(checks) or 'none'}")
        elif gate.max_excess is not None and not _compares(checks[gate.check]):
            why = "max_excess is for `shadow:` checks, which have a noise floor; use max_regression or red_line here"
            yield Clash(("gates", position, "max_excess"), gate.check, why)
        elif gate.max_regression is not None and _compares(checks[gate.check]):
            why = "max_regression is for checks that pass or fail; a `shadow:` check compares: use max_excess here"
            yield Clash(("gates", position, "max_regression"), gate.check, why)
        elif gate.max_failures is not None and _compares(checks[gate.check]):
            why = "max_failures is for checks that pass or fail; a `shadow:` check compares: use max_excess here"
            yield Clash(("gates", position, "max_failures"), gate.check, why)


def _gate_labels(settings: Settings) -> Iterator[Clash]:
    labels = {check.label for check in settings.checks}
    for position, gate in enumerate(settings.gates):
        if gate.within is not None and gate.name in labels:
            why = f"a service level is counted under its gate's name, and a check is called {gate.name} too; rename one"
            yield Clash(("gates", position, "name"), gate.name, why)


def _gate_slices(settings: Settings) -> Iterator[Clash]:
    for position, gate in enumerate(settings.gates):
        for key in gate.when:
            place: Place = ("gates", position, "when", key)
            yield from (wrong := list(_slice_key(settings, place, key)))
            if not wrong and gate.slice and key not in settings.slices:
                yield Clash(place, key, f"nothing is counted by {key}: add it to `slices:`")


def _compares(check: Check) -> bool:
    return check.type.startswith("shadow:")


def _repeated(words: Iterable[str]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for position, word in enumerate(words):
        if word in seen:
            yield position, word
        seen.add(word)


_RULES: tuple[tuple[tuple[str, ...], Callable[[Settings], Iterator[Clash]]], ...] = (
    (("candidates", "mounts"), _candidate_names),
    (("candidates", "mounts"), _framing_headers),
    (("candidates", "control", "mounts"), _asked_twice),
    (("listen", "ops", "dashboard"), _addresses),
    (("queue", "store"), _urls),
    (("capture",), _no_credentials),
    (("slices", "capture"), _slice_keys),
    (("checks", "capture"), _when_keys),
    (("checks",), _labels),
    (("gates",), _gate_names),
    (("gates", "checks"), _gate_checks),
    (("gates", "checks"), _gate_labels),
    (("gates", "slices", "capture"), _gate_slices),
)
