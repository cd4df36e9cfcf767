"""Shadows: from one live call to Pairs in the queue, without live noticing. Used by handler, ops and wiring."""

from proxy.mirror.memory import Memory
from proxy.mirror.mirroring import Mirror, MirrorRules
from proxy.mirror.shadowing import Shadow

__all__ = ["Memory", "Mirror", "MirrorRules", "Shadow"]
