"""The dashboard: the same report as `understudy report --html`, live, and the pairs behind it. Doors: app, serving.

Receives callables, knows neither store nor queue. pages makes the HTML, access decides who may look.
"""

from evaluators.dashboard.access import Unprotected
from evaluators.dashboard.serve import app, serving

__all__ = ["Unprotected", "app", "serving"]
