"""Reading a transform: from JavaScript's text to one function. Neighbours: methods and values, which it calls.

The grammar is what promptfoo configurations use: expressions over `output`, arrow functions as arguments, and
`const x = …; return …;` where there is more than one line. What is beyond it is refused by name.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from evaluators.core.transform import values
from evaluators.core.transform.methods import FUNCTIONS, METHODS, TAKE_FUNCTIONS, called
from evaluators.core.transform.operators import LEVELS, Link, Run, chain, choice, constant, indexed, signed, statements
from evaluators.core.transform.spelling import REMEDY, BadTransform, literal, spelled, unescaped
from evaluators.core.transform.values import UNDEFINED

MAX_SOURCE = 10_000
MAX_DEPTH = 60
"""Parentheses and operators inside each other: each costs a handful of Python frames, of a thousand."""


def program(source: str) -> Run:
    """The function of a transform; raises BadTransform."""
    if len(source) > MAX_SOURCE:
        raise BadTransform(f"the transform has more than {MAX_SOURCE} characters; {REMEDY}")
    return _Reader(source).program("\n" in source)


_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": UNDEFINED}
_WORDS = frozenset(
    "if for while function switch try throw new typeof async await class do let var const return delete in of".split()
)


class _Reader:
    """One walk over the tokens, by precedence."""

    def __init__(self, source: str) -> None:
        self._tokens = [(kind, text) for kind, text in spelled(source) if kind != "space"]
        self._at = 0
        self._depth = 0
        self._names = {"output"}

    def program(self, lines: bool) -> Run:
        """The whole: one expression, or statements that end with `return`."""
        if not self._tokens:
            raise BadTransform("the transform is empty; leave it out")
        if not lines:
            whole = self._ternary()
            self._take(";")
            return self._end(whole)
        steps: list[tuple[str, Run]] = []
        while self._peek() in ("const", "let", "var"):
            self._at += 1
            name = self._name()
            self._need("=")
            steps.append((name, self._ternary()))
            self._names.add(name)
            self._take(";")
        if not self._take("return"):
            raise BadTransform("a transform of several lines gives nothing without `return`; begin its last line so")
        result = self._ternary()
        self._take(";")
        return self._end(statements(steps, result))

    def _end(self, run: Run) -> Run:
        if self._at < len(self._tokens):
            raise self._refused()
        return run

    def _ternary(self) -> Run:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadTransform(f"the transform is nested too deeply; {REMEDY}")
        condition = self._binary(0)
        if self._take("?"):
            yes = self._ternary()
            self._need(":")
            no = self._ternary()
            found = choice(condition, yes, no)
        else:
            found = condition
        self._depth -= 1
        return found

    def _binary(self, level: int) -> Run:
        if level == len(LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in LEVELS[level] and self._kind() == "mark":
            make = LEVELS[level][self._next()]
            left = make(left, self._binary(level + 1))
        return left

    def _unary(self) -> Run:
        signs = []
        while self._kind() == "mark" and self._peek() in ("!", "-", "+"):
            signs.append(self._next())
        run = self._postfix(self._primary())
        for sign in reversed(signs):
            run = signed(sign, run)
        return run

    def _postfix(self, run: Run) -> Run:
        """Members, indices and calls; after `?.` on nothing, the rest of the chain gives undefined."""
        links: list[tuple[bool, Link]] = []
        while self._kind() == "mark" and self._peek() in (".", "?.", "["):
            mark = self._next()
            soft = mark == "?."
            if mark == "[" or (soft and self._take("[")):
                index = self._ternary()
                self._need("]")
                links.append((soft, indexed(index)))
                continue
            name = self._name()
            links.append((soft, self._call(name) if self._peek() == "(" else indexed(constant(name))))
        return chain(run, links) if links else run

    def _call(self, name: str) -> Link:
        if name not in METHODS:
            near = get_close_matches(name, METHODS, n=1)
            hint = f"did you mean .{near[0]}()? Otherwise " if near else ""
            raise BadTransform(f".{name}() is not part of the transforms here; {hint}{REMEDY}")
        arguments = self._arguments(name in TAKE_FUNCTIONS)
        return lambda value, scope, budget: called(value, name, [one(scope, budget) for one in arguments], budget)

    def _arguments(self, functions: bool) -> list[Run]:
        self._need("(")
        found: list[Run] = []
        while not self._take(")"):
            arrow = self._arrow() if functions else None
            found.append(arrow or self._ternary())
            if self._peek() != ")":
                self._need(",")
        return found

    def _arrow(self) -> Run | None:
        """`x => …` or `(x, i) => …`; None where something else stands here."""
        texts = [text for _, text in self._tokens[self._at : self._at + 8]]
        end = texts.index("=>") if "=>" in texts else -1
        names = [one for one in texts[:end] if one not in "(),"] if end > 0 else []
        if end < 0 or not all(one.isidentifier() for one in names) or not (texts[0] == "(" or end == 1):
            return None
        self._at += end + 1
        if self._peek() == "{":
            raise BadTransform(f"a function with {{ }} is not part of the transforms here; {REMEDY}")
        before, self._names = self._names, self._names | set(names)
        body = self._ternary()
        self._names = before
        return lambda scope, budget: lambda *given: body({**scope, **dict(zip(names, given, strict=False))}, budget)

    def _primary(self) -> Run:
        kind, text = self._kind(), self._peek()
        if kind == "name":
            return self._word(self._next())
        if kind == "number":
            return constant(float(self._next()) if "." in text else int(self._next()))
        if kind == "text":
            return self._text(self._next())
        if kind == "regex":
            return constant(literal(self._next()))
        if self._take("("):
            inner = self._ternary()
            self._need(")")
            return inner
        if self._take("["):
            return self._list()
        raise self._refused()

    def _list(self) -> Run:
        found: list[Run] = []
        while not self._take("]"):
            found.append(self._ternary())
            if self._peek() != "]":
                self._need(",")
        return lambda scope, budget: [one(scope, budget) for one in found]

    def _word(self, name: str) -> Run:
        if name in _CONSTANTS:
            return constant(_CONSTANTS[name])
        if name in self._names:
            return lambda scope, budget: scope[name]
        full = f"{name}.{self._tokens[self._at + 1][1]}" if self._peek() == "." and self._more(2) else name
        if full in FUNCTIONS:
            self._at += 2 * (full != name)
            function, arguments = FUNCTIONS[full], self._arguments(False)
            return lambda scope, budget: function(None, [one(scope, budget) for one in arguments], budget)
        raise BadTransform(f"{_about(name, full)}; {REMEDY}")

    def _text(self, quoted: str) -> Run:
        if quoted[0] == "`" and "${" in quoted:
            pieces = re.split(r"\$\{([^{}]*)\}", quoted[1:-1])
            runs = [self._inner(one) if odd % 2 else constant(unescaped(one)) for odd, one in enumerate(pieces)]
            return lambda scope, budget: values.sized("".join(values.joined(run(scope, budget)) for run in runs))
        return constant(unescaped(quoted[1:-1]))

    def _inner(self, source: str) -> Run:
        reader = _Reader(source)
        reader._names, reader._depth = self._names, self._depth + 1
        return reader._end(reader._ternary())

    def _name(self) -> str:
        if self._kind() != "name":
            raise self._refused()
        return self._next()

    def _need(self, mark: str) -> None:
        if not self._take(mark):
            raise self._refused(f"; {mark!r} is expected")

    def _take(self, text: str) -> bool:
        there = self._peek() == text and self._kind() in ("mark", "name")
        self._at += there
        return there

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _more(self, count: int) -> bool:
        return self._at + count <= len(self._tokens)

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._more(1) else ""

    def _kind(self) -> str:
        return self._tokens[self._at][0] if self._more(1) else ""

    def _refused(self, more: str = "") -> BadTransform:
        return BadTransform(f"{self._peek() or 'the end'!r} is not understood here{more}; {REMEDY}")


def _about(name: str, full: str) -> str:
    if name in _WORDS:
        return f"`{name}` is not part of the transforms here"
    if name in ("context", "vars"):
        return f"`{name}` does not exist here: real calls have no test variables"
    return f"`{full}` is not part of the transforms here"
