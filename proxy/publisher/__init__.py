"""Pairs into the queue: `delivery` takes them from `waiting` memory or from `spool` and `segments` to `stream`."""

from proxy.publisher.delivery import TASK, Publisher, PublisherRules
from proxy.publisher.spool import Spool
from proxy.publisher.stream import QueueUnfit, connect

__all__ = ["TASK", "Publisher", "PublisherRules", "QueueUnfit", "Spool", "connect"]
