"""A child is drained, stopped in steps, and never left behind."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from stream_stage import is_running, until

from stream.errors import ChildError
from stream.process import Child

PYTHON = sys.executable
DEAF = (
    "import signal,time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('progress=x', flush=True); time.sleep(60)"
)


def test_progress_and_the_last_lines_are_kept_without_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    code = "import sys; print('frame=7\\nprogress=continue'); print('[error] no rtmp://h/sesame here', file=sys.stderr)"
    with caplog.at_level(logging.DEBUG), Child("it", [PYTHON, "-c", code], secrets=("sesame",)) as child:
        assert child.wait(10) == 0
        child.stop()
    assert child.progress is not None
    assert child.progress.frame == 7
    assert child.last_lines == ("[error] no rtmp://h/*** here",)
    assert "sesame" not in caplog.text


def test_a_child_that_writes_more_than_a_pipe_holds_is_not_held_up() -> None:
    code = "import sys; sys.stdout.write('x=1\\n'*100000); sys.stderr.write('y\\r'*100000)"
    with Child("it", [PYTHON, "-c", code]) as child:
        assert child.wait(20) == 0


def test_closing_its_input_is_enough_for_one_that_reads() -> None:
    with Child("it", [PYTHON, "-c", "import sys; sys.stdin.read()"], has_stdin=True) as child:
        assert child.stop() == 0


def test_a_deaf_child_is_killed_and_reaped() -> None:
    child = Child("it", [PYTHON, "-c", DEAF])
    until(lambda: child.progress is not None)
    assert child.stop(patience_s=0.2) == -signal.SIGKILL
    assert not is_running(child.pid)
    assert child.stop() == -signal.SIGKILL, "twice is harmless"


def test_writing_to_a_child_that_does_not_read_comes_back_in_time() -> None:
    with Child("it", [PYTHON, "-c", DEAF], has_stdin=True) as child:
        block = memoryview(bytes(1 << 20))
        sent = child.write(block, 0.05)
        assert 0 < sent < len(block)
        while sent:
            sent = child.write(block, 0.05)
        child.kill()
        with pytest.raises(BrokenPipeError):
            child.write(block, 0.05)


def test_a_child_outlives_the_thread_that_asked_for_it() -> None:
    found: list[Child] = []
    asking = threading.Thread(target=lambda: found.append(Child("it", [PYTHON, "-c", DEAF])))
    asking.start()
    asking.join()
    with found[0] as child:
        until(lambda: child.progress is not None)
        assert child.exit_code is None
        child.kill()


def test_a_child_dies_with_us_even_when_we_are_killed(tmp_path: Path) -> None:
    code = f"from stream.process import Child; import time; c = Child('it', [{PYTHON!r}, '-c', {DEAF!r}]); "
    code += "print(c.pid, flush=True); time.sleep(60)"
    with subprocess.Popen([PYTHON, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert is_running(pid)
        owner.kill()
        owner.wait()
    until(lambda: not is_running(pid), 3)


def test_only_the_descriptors_that_were_given_are_inherited_and_ours_are_closed() -> None:
    ours, theirs = os.pipe()
    os.set_inheritable(ours, True)
    code = f"import os; os.write({theirs}, ','.join(sorted(os.listdir('/proc/self/fd'))).encode())"
    with Child("it", [PYTHON, "-c", code], give_fds=(theirs,)) as child:
        child.wait(10)
    with os.fdopen(ours, "rb") as pipe:  # ends at once only when nobody has the other end any more
        seen = pipe.read().decode().split(",")
    assert str(theirs) in seen
    assert str(ours) not in seen


def test_our_surroundings_are_not_the_childs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "sesame")
    code = "import os,sys; print(sorted(os.environ), file=sys.stderr)"
    with Child("it", [PYTHON, "-c", code]) as child:
        child.wait(10)
    assert child.last_lines
    assert "SOME_TOKEN" not in child.last_lines[0]


def test_a_missing_program_is_named_with_what_to_install() -> None:
    with pytest.raises(ChildError, match=r"no-such-program.*apt install"):
        Child("it", ["no-such-program"])
