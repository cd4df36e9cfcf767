"""One client request, first byte to last; the only writer to the client's socket. The story is told in serving."""

from proxy.handler.entrance import Entrance
from proxy.handler.passage import HandlerRules, LiveRoute, Shadowing
from proxy.handler.serving import Handler

__all__ = ["Entrance", "Handler", "HandlerRules", "LiveRoute", "Shadowing"]
