"""The door to the operator's Python: real processes, and code that hangs, crashes, prints and pries."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evaluators.core.finding import DoorFailed
from evaluators.judges.python_door import MOST_STARTS, PythonDoor

WITHIN = 1.0
GIVEN: dict[str, Any] = {"output": "Oslo", "context": {"prompt": "Where?", "vars": {}}}


@pytest.fixture
def restarts() -> list[int]:
    return []


@pytest.fixture
def door(restarts: list[int]) -> Iterator[PythonDoor]:
    opened = PythonDoor(within=WITHIN, restarted=lambda: restarts.append(1))
    opened.ask("True", GIVEN)  # the start of the process counts for no test's time
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("code", "result"),
    [
        pytest.param("output == 'Oslo'", True, id="expression"),
        pytest.param("len(output) / 8", 0.5, id="number"),
        pytest.param(
            "if 'x' in output:\n    return 1\nreturn {'pass': True, 'score': 1}", {"pass": True, "score": 1}, id="lines"
        ),
        pytest.param("  import math\n  return math.floor(1.5)", 1, id="indented lines"),
        pytest.param("json.loads('[1]') + [context['prompt']]", [1, "Where?"], id="json is there"),
        pytest.param("print('x' * 100_000) or 3", 3, id="prints"),
        pytest.param("__import__('os').write(1, b'{}\\n')", 3, id="writes to its standard output"),
        pytest.param("__import__('sys').stdin.read()", "", id="reads its standard input"),
        pytest.param("__import__('numpy').float32(0.5)", 0.5, id="a number of numpy's"),
        pytest.param("'\\ud800' + output", "\ud800Oslo", id="half a character"),
    ],
)
def test_code_as_in_promptfoo(door: PythonDoor, code: str, result: Any) -> None:
    """Expressions and lines see output and context; what they print or read touches nothing."""
    assert door.ask(code, GIVEN) == result


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param("1 / 0", "the python check raised ZeroDivisionError: division by zero", id="raises"),
        pytest.param("exit(3)", "the python check raised SystemExit: 3", id="exits"),
        pytest.param("return", "the python check raised SyntaxError", id="is no code"),
        pytest.param("'x' * 100_000", "gave more than 65536 bytes", id="gives too much"),
        pytest.param("{1, 2}", "gave set", id="gives what is no JSON"),
        pytest.param("'x' * 10**10", "raised MemoryError", id="wants too much memory"),
        pytest.param("[open('/dev/null') for _ in range(99)]", "Too many open files", id="opens too many files"),
        pytest.param("__import__('os')._exit(0)", "the python check ended its process", id="ends"),
        pytest.param("__import__('os').kill(__import__('os').getpid(), 11)", "ended its process", id="crashes"),
        pytest.param("while True: pass", f"python check took longer than {WITHIN:g} s", id="loops"),
        pytest.param("__import__('time').sleep(99)", f"took longer than {WITHIN:g} s", id="sleeps"),
    ],
)
def test_whatever_the_code_does_the_next_answer_comes(door: PythonDoor, code: str, said: str) -> None:
    """A failure is one short phrase, and the door answers again afterwards."""
    with pytest.raises(DoorFailed, match=said.replace("(", r"\(")):
        door.ask(code if "while" not in code else f"{code}\nreturn 1", GIVEN)
    assert door.ask("output", GIVEN) == "Oslo"


def test_none_of_our_environment_is_there(door: PythonDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in the worker's environment are not in that of the checks, nor are its open files."""
    monkeypatch.setenv("MINI_KEY", "sk-secret")
    door.close()
    seen = door.ask("dict(__import__('os').environ)", GIVEN)
    assert "MINI_KEY" not in seen
    assert "sk-secret" not in str(seen)
    inherited = door.ask("[os.readlink(f'/proc/self/fd/{n}') for os in [__import__('os')] for n in (0, 1, 2)]", GIVEN)
    assert inherited == ["/dev/null"] * 3


def test_the_process_is_limited_and_its_own_session(door: PythonDoor) -> None:
    """Limits hold for processor, memory, files, processes and what is written; nothing shares our session."""
    wanted = "AS FSIZE NOFILE NPROC CORE"
    limits_now = f"[r.getrlimit(getattr(r, 'RLIMIT_' + n))[0] for n in '{wanted}'.split()]"
    code = f"import resource as r, os\nreturn {limits_now} + [os.getsid(0)]"
    *limits, session = door.ask(code, GIVEN)
    assert limits == [2 * 1024**3, 1024**2, 64, 0, 0]
    assert session != os.getsid(0)
    assert 0 < door.ask("__import__('resource').getrlimit(0)[0]", GIVEN) < 60


@pytest.mark.parametrize(
    ("suffix", "result"),
    [("", "default Oslo"), (":other", ["Oslo", "Where?"]), (":Judge.said", 7), (":later", "late Oslo")],
)
def test_files_and_their_functions(door: PythonDoor, tmp_path: Path, suffix: str, result: Any) -> None:
    """get_assert is the default; functions, methods, coroutines and modules beside the file work."""
    (tmp_path / "beside.py").write_text("WORD = 'default '\n")
    (tmp_path / "mine.py").write_text(
        "import beside\n"
        "def get_assert(output, context): return beside.WORD + output\n"
        "def other(output, context): return [output, context['prompt']]\n"
        "class Judge:\n    @staticmethod\n    def said(output, context): return 7\n"
        "async def later(output, context): return 'late ' + output\n"
    )
    assert door.ask(f"file://{tmp_path}/mine.py{suffix}", GIVEN) == result


def test_a_file_that_is_not_there(door: PythonDoor, tmp_path: Path) -> None:
    """What cannot be read, and a function that is not in it, are said without the path."""
    (tmp_path / "mine.py").write_text("get_assert = 7\n")
    with pytest.raises(DoorFailed, match=r"^the file of this python check cannot be read$"):
        door.ask(f"file://{tmp_path}/none.py", GIVEN)
    with pytest.raises(DoorFailed, match="raised AttributeError"):
        door.ask(f"file://{tmp_path}/mine.py:absent", GIVEN)
    with pytest.raises(DoorFailed, match="raised TypeError: get_assert is not a function"):
        door.ask(f"file://{tmp_path}/mine.py", GIVEN)


def test_all_pairs_are_judged_by_the_code_of_the_start(door: PythonDoor, tmp_path: Path) -> None:
    """A file that changes while the worker runs changes nothing, not even after a new process began."""
    file = tmp_path / "mine.py"
    file.write_text("def get_assert(output, context): return 1\n")
    assert door.ask(f"file://{file}", GIVEN) == 1
    file.write_text("def get_assert(output, context): return 2\n")
    with pytest.raises(DoorFailed):
        door.ask("__import__('os')._exit(0)", GIVEN)
    assert door.ask(f"file://{file}", GIVEN) == 1


def test_a_check_that_ends_its_process_again_and_again_rests(restarts: list[int]) -> None:
    """New processes are counted, and no more than MOST_STARTS begin within a minute."""
    door = PythonDoor(within=WITHIN, restarted=lambda: restarts.append(1))
    said = set()
    for _ in range(MOST_STARTS + 3):
        with pytest.raises(DoorFailed) as failure:
            door.ask("__import__('os')._exit(0)", GIVEN)
        said.add(str(failure.value))
    assert said == {
        "the python check ended its process",
        f"python checks have ended {MOST_STARTS} processes within 60 s; they rest",
    }
    assert len(restarts) == MOST_STARTS - 1
    door.close()


def test_code_that_hangs_on_every_answer_does_not_hold_up_the_others() -> None:
    """After three late answers in a row it is refused at once, while other code goes on."""
    with closing(PythonDoor(within=0.7)) as door:
        for _ in range(3):
            with pytest.raises(DoorFailed, match="took longer than"):
                door.ask("[1 for _ in iter(int, 1)]", {"output": "", "context": {}})
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(DoorFailed, match=r"^the python check rests"):
                door.ask("[1 for _ in iter(int, 1)]", {"output": "", "context": {}})
        assert time.monotonic() - began < 0.2
        assert door.ask("output == 'x'", {"output": "x", "context": {}}) is True


def test_threads_wait_for_each_other(door: PythonDoor) -> None:
    """Many threads share one process, each gets its own answer, and one that hangs does not break the others."""
    said: list[Any] = []

    def ask(number: int) -> None:
        try:
            said.append(door.ask("output", {**GIVEN, "output": number}))
        except DoorFailed as error:
            said.append(str(error))

    def hang() -> None:
        with pytest.raises(DoorFailed):
            door.ask("while True: pass\n", GIVEN)

    first = threading.Thread(target=hang)
    first.start()
    others = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in others:
        thread.start()
    for thread in (first, *others):
        thread.join(8)
    assert sorted(said, key=str) == sorted(range(20), key=str)


def test_nothing_begins_before_the_first_question_and_nothing_is_left() -> None:
    """Making the door starts no process; closing it ends the process and what that began."""
    door = PythonDoor()
    assert repr(door) == "<PythonDoor idle>"
    pid = door.ask("__import__('os').getpid()", GIVEN)
    assert repr(door) == f"<PythonDoor pid={pid}>"
    door.close()
    _until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_process_whose_worker_died_ends_by_itself(tmp_path: Path) -> None:
    """A check that hangs does not outlive a worker that was killed for long."""
    script = (
        "from evaluators.judges.python_door import PythonDoor\n"
        "door = PythonDoor(within=1.0)\n"
        "print(door.ask('__import__(\"os\").getpid()', {'output': '', 'context': {}}), flush=True)\n"
        "door.ask('__import__(\"time\").sleep(99)', {'output': '', 'context': {}})\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    pid = int(worker.stdout.readline())
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    _until(lambda: _gone(pid))


def _gone(pid: int) -> bool:
    """Not there, or nobody has asked how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _until(condition: Callable[[], bool], limit: float = 6.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.02)
