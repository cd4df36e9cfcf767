"""One client request, first byte to last; the only writer to the client's socket. The story is told in serving."""

from proxy.handler.serving import Handler, LiveRules

__all__ = ["Handler", "LiveRules"]
