"""From a YAML file and the environment to Settings, or to every mistake at once. The story is told in reading."""

from config.load.mistake import ConfigError, Mistake
from config.load.reading import load, parse

__all__ = ["ConfigError", "Mistake", "load", "parse"]
