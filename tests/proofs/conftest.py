"""The rig of the shell tests, for the proofs that need a running proxy in their own process."""

from tests.proxy.conftest import _server, rig, valkey

__all__ = ["_server", "rig", "valkey"]
