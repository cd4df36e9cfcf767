"""Which methods and paths have shadows."""

from __future__ import annotations

import pytest

from config.settings import DEFAULT_SHADOW_PATHS
from proxy.core.accounting import Bucket
from proxy.core.paths import compile_paths

RULES = compile_paths(DEFAULT_SHADOW_PATHS)


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        ("/v1/chat/completions", True),
        ("/chat/completions", True),
        ("/openai/deployments/d/chat/completions", True),
        ("//v1//chat/completions", True),
        ("/v1/messages", True),
        ("/v1/responses", True),
        ("/v1/embeddings", True),
        ("/v1/completions", True),
        ("/v1/chat/completions/xyz", False),
        ("/v1/chat/completions/", False),
        ("/v1/chat%2Fcompletions", False),
        ("/v1/xchat/completionsx", False),
        ("/v1/models", False),
        ("chat/completions", False),
        ("", False),
    ],
)
def test_default_paths_match_by_suffix(path: str, matches: bool) -> None:
    """The provider's prefix does not matter, and nothing may follow."""
    assert (RULES.refusal("POST", path) is None) is matches


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("POST /v1/models/*:generateContent", "/v1/models/gemini-3:generateContent", True),
        ("POST /v1/models/*:generateContent", "/v1/models/a/b:generateContent", False),
        ("POST /v1/**", "/v1/a/b", True),
        ("POST /v1/**", "/v1", True),
        ("POST /v1/**", "/v10", False),
        ("POST /**", "/anything/at/all", True),
        ("POST /a/**/z", "/a/z", True),
        ("POST /a/**/z", "/a/b/c/z", True),
        ("POST /a.b", "/aXb", False),
        ("* /a", "/a", True),
    ],
)
def test_globs_span_segments_only_where_they_say(glob: str, path: str, matches: bool) -> None:
    """One star stays inside a segment, two span any number of them."""
    assert (compile_paths([glob]).refusal("POST", path) is None) is matches


@pytest.mark.parametrize("line", ["", "/v1/x", "POST v1/x", "post /x", "POST /a b", "POST /**x", "POST /a**/b"])
def test_a_line_that_is_no_glob_is_refused(line: str) -> None:
    """The message shows how to write it."""
    with pytest.raises(ValueError, match="write it like POST /"):
        compile_paths([line])


def test_says_whether_path_or_method_is_wrong() -> None:
    """Also when asked again, and for a method that has a path of its own."""
    rules = compile_paths(["POST /a", "PUT /b"])
    for _ in range(2):
        assert rules.refusal("POST", "/b") == (Bucket.INELIGIBLE, "method")
        assert rules.refusal("POST", "/c") == (Bucket.INELIGIBLE, "path")
        assert rules.refusal("PUT", "/b") is None
