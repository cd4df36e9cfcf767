"""The gate: rules and numbers in, a Decision out. decide settles, watched, fixed and counted read, plan looks ahead."""

from evaluators.core.gate.decide import decide, decided, exit_code

__all__ = ["decide", "decided", "exit_code"]
