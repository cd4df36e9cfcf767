"""The tables of the store, as plain SQLAlchemy Core. Written by write and closing, read by read.

Three kinds: raw rows (one per pair, finding, record), vocabularies that give long or foreign text a small number, and
tallies, whose key is everything but the last columns and whose numbers are sums. Every tally starts with the hour
bucket, so that a window is one range of its primary key and windows add up.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

from evaluators.core.stats.evidence import LIFTS

VERSION = 1
"""Of these tables, and of what is inside them: a change of stats.evidence.LIFTS raises it too.

A new table raises nothing: it is made when an older store is opened, and is empty for the time before.
"""

ARMS = ("live", "shadow")
TIMINGS = ("first_byte", "total", "longest_gap")
AMOUNTS = ("input_tokens", "output_tokens", "cost")  # cost in picodollars; UNKNOWN (-1) where it is not known

PICODOLLARS = 10**12
"""Costs are whole millionths of a microdollar: sums stay exact and do not depend on the order of adding."""

metadata = MetaData()

_Column = Column[Any]


def _table(name: str, *columns: _Column | Index) -> Table:
    # Rows are found by their whole key; without a rowid SQLite keeps them in that order and stores the key once.
    return Table(name, metadata, *columns, sqlite_with_rowid=False)


def _key(name: str, kind: type[Integer] | type[Text] | type[BigInteger] | type[SmallInteger]) -> _Column:
    # No autoincrement: a key is given, and PostgreSQL would otherwise make a sequence of the first integer.
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def _arm(arm: str) -> list[_Column]:
    timings: list[_Column] = [Column(f"{arm}_{name}", Float(53), nullable=False) for name in TIMINGS]
    amounts: list[_Column] = [Column(f"{arm}_{name}", BigInteger, nullable=False) for name in AMOUNTS]
    outcome: list[_Column] = [
        Column(f"{arm}_kind", Text, nullable=False),
        Column(f"{arm}_status", Integer, nullable=False),
    ]
    return [*outcome, *timings, *amounts]


meta = _table("meta", _key("name", Text), Column("value", BigInteger, nullable=False))

# --- raw rows ---------------------------------------------------------------------------------------------------------

pairs = Table(
    "pairs",
    metadata,
    _key("call_id", Text),
    _key("shadow", Text),
    Column("role", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("arrived", Float(53), nullable=False),
    Column("recorded", Float(53), nullable=False),
    Column("block", BigInteger, nullable=False),  # 0 until its conversation is folded
    Column("slices", Text, nullable=False),  # JSON list
    Column("letters", Text, nullable=False),  # JSON: check id -> joint letters
    Column("preview", Text, nullable=False),
    *_arm("live"),
    *_arm("shadow"),
    Index("pairs_arrived", "arrived"),
    Index("pairs_open", "conversation", sqlite_where=text("block = 0"), postgresql_where=text("block = 0")),
)

records = Table(  # with a rowid: in a table without, rows of more than 1 KiB spill into pages of their own
    "records",  # what the queue delivered, for `pairs show` and for reading again with better checks
    metadata,
    _key("call_id", Text),
    _key("shadow", Text),
    Column("schema", Text, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("live", LargeBinary, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
)

findings = _table(
    "findings",
    _key("call_id", Text),
    _key("arm", Text),  # "live" or the shadow's name
    _key("check_id", Integer),  # stands for label and version
    Column("result", Text, nullable=False),
    Column("score", Float(53), nullable=False),
    Column("detail", Text, nullable=False),
    Column("paths", Text, nullable=False),  # JSON list
)

dead = _table(
    "dead",  # pairs that were published and could not be judged; one that is judged after all leaves again
    _key("call_id", Text),
    _key("shadow", Text),
    Column("bucket", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Index("dead_bucket", "bucket", "shadow"),
)

sessions = _table(
    "sessions",  # conversations with pairs that are not folded yet
    _key("conversation", Text),
    Column("began", Float(53), nullable=False),  # when the first of those pairs was recorded
    Column("newest", Float(53), nullable=False),  # and when the last
    Index("sessions_newest", "newest", "conversation"),
    Index("sessions_began", "began", "conversation"),
)

blocks = Table(
    "blocks",  # each sealed block of closed conversations; pairs.block points here
    metadata,
    _key("id", BigInteger),
    Column("sealed", Float(53), nullable=False),
    Column("conversations", Integer, nullable=False),
)

distances = _table(
    "distances",  # of control pairs whose route has no threshold yet; gone when it has one
    _key("label", Text),
    _key("version", Text),
    _key("route", Text),
    _key("call_id", Text),
    Column("distance", Float(53), nullable=False),
)

calibrations = _table(
    "calibrations",  # thresholds that were set once, by whichever worker came first; see calibrating
    _key("label", Text),
    _key("version", Text),
    _key("route", Text),
    Column("threshold", Float(53), nullable=False),
    Column("n", Integer, nullable=False),
    Column("at", Float(53), nullable=False),
)

# --- vocabularies -----------------------------------------------------------------------------------------------------

checks = Table(
    "checks",
    metadata,
    _key("id", Integer),
    Column("label", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("comparison", SmallInteger, nullable=False),
    Column("dimension", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("used", Float(53), nullable=False),  # when a process last began to use it: the newest is the label's current
    Index("checks_label", "label", "version", unique=True),
)

words = Table(
    "words",  # slices and paths, a bounded number per family; see words.py
    metadata,
    _key("id", Integer),
    Column("family", Text, nullable=False),
    Column("word", Text, nullable=False),
    Index("words_word", "family", "word", unique=True),
)

# --- tallies ----------------------------------------------------------------------------------------------------------

_BUCKET = ("bucket", BigInteger)
_SHADOW = ("shadow", Text)
_CHECK = ("check_id", Integer)
_SLICE = ("slice_id", Integer)  # a word; 0 is every pair


def _tally(name: str, *keys: tuple[str, type[Integer] | type[Text] | type[BigInteger]]) -> Table:
    columns = [_key(column, kind) for column, kind in keys]
    return _table(name, *columns, Column("n", BigInteger, nullable=False))


joints = _tally("joints", _BUCKET, _SHADOW, _CHECK, _SLICE, ("letters", Text))
paths = _tally("paths", _BUCKET, _SHADOW, _CHECK, ("path_id", Integer))
outcomes = _tally("outcomes", _BUCKET, _SHADOW, ("role", Text), ("live_kind", Text), ("shadow_kind", Text))
bins = _tally("bins", _BUCKET, _SHADOW, ("arm", Text), ("metric", Text), ("bin", Integer))
totals = _table(
    "totals",
    _key("bucket", BigInteger),
    _key("shadow", Text),
    _key("arm", Text),
    _key("name", Text),
    Column("n", BigInteger, nullable=False),
    Column("sum", BigInteger, nullable=False),
)

conversations = _tally("conversations", _BUCKET, _SHADOW)
noise = _tally("noise", _BUCKET, _SHADOW, _CHECK, _SLICE, ("letters", Text))
NO_CHECK = 0
UNMEASURED = "unmeasured_"

# Kinds "difference", "failing" and "energy" of a check. Under check 0, which no check has, what belongs to the shadow:
# log ratios by their kind, and "unmeasured_" before it for calls that are in none (over 0, under 1).
fractions = _tally("fractions", _BUCKET, _SHADOW, _CHECK, ("kind", Text), ("over", Integer), ("under", Integer))
# Letters of folding.places; path 0 is the whole answer.
path_noise = _tally("path_noise", _BUCKET, _SHADOW, _CHECK, ("path_id", Integer), ("letters", Text))
evidence = _table(
    "evidence",
    _key("bucket", BigInteger),
    _key("shadow", Text),
    _key("check_id", Integer),
    _key("slice_id", Integer),
    Column("conversations", BigInteger, nullable=False),
    Column("worse", BigInteger, nullable=False),
    Column("better", BigInteger, nullable=False),
    Column("others", BigInteger, nullable=False),
    Column("others_worse", BigInteger, nullable=False),
    Column("log_bets", Text, nullable=False),  # JSON list of floats
)

COUNTS = ("conversations", "worse", "better", "others", "others_worse")

CROSSED_FIELDS = 1 + len(COUNTS) + len(LIFTS)
"""Numbers per crossing in crossed.sums: its word, COUNTS and the bets, as little-endian doubles."""

crossed = _table(
    # As evidence, for two slices of different keys. There are hundreds per check and hour: one row holds them all, so
    # that a report reads thousands of numbers at a time, and folding writes one row per check.
    "crossed",
    _key("bucket", BigInteger),
    _key("shadow", Text),
    _key("check_id", Integer),
    Column("sums", LargeBinary, nullable=False),
    Column("examples", Text, nullable=False),  # JSON: word -> the latest call that did worse
)

examples = _table(
    "examples",  # the latest few call ids that regressed (or differ), per slice
    _key("shadow", Text),
    _key("check_id", Integer),
    _key("slice_id", Integer),
    _key("rank", Text),  # arrival and call id, so that text order is time order
)

accounting = _table(
    "accounting",  # the proxies' own cumulative counts; the higher number is the later one, but for lane_away
    _key("bucket", BigInteger),
    _key("instance", Text),
    _key("shadow", Text),
    _key("name", Text),
    _key("reason", Text),
    Column("n", BigInteger, nullable=False),
)
