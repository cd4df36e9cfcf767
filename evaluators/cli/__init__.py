"""The `understudy` command: arguments in, data on stdout, everything else on stderr, exit code out.

Families of commands: running (demo, up, proxy, work, serve), results (report, gate, pairs), setup (config, doctor).
Exit codes: 0 pass or done, 1 internal error, 2 usage or configuration, 3 gate failed, 4 not decided yet.
"""

from evaluators.cli.command import app, main

__all__ = ["app", "main"]
