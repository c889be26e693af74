"""One supervised child: started without a shell, drained, told to stop in steps, and never left behind.

A child must not outlive us, not even when we are killed: it is started through util-linux' `setpriv --pdeathsig KILL`
(safe with threads, unlike code run between fork and exec). The kernel sends that signal when the *thread* that started
the child ends, so all children are started by one thread that lives as long as the main one: a program stops its
children before its main function returns.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from stream.errors import ChildError
from stream.progress import Progress, ProgressReader

log = logging.getLogger(__name__)

_LINES_KEPT = 40
_LINE_BYTES = 4096
# What a child may know of our surroundings; anything else (tokens, keys) is none of its business.
_ENVIRONMENT = ("PATH", "HOME", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR", "TZ")
_nursery = ThreadPoolExecutor(max_workers=1, thread_name_prefix="children-are-born-here")


def redacted(text: str, secrets: Sequence[str]) -> str:
    """`text` with every secret replaced."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, "***")
    return text


class Child:
    """A running program that tells its progress on stdout and its troubles on stderr.

    `give_fds` are inherited under their numbers and closed on our side: they are the child's from now on.
    Raises ChildError when it cannot be started.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        give_fds: Sequence[int] = (),
        has_stdin: bool = False,
        secrets: Sequence[str] = (),
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self._secrets = tuple(secrets)
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._progress: Progress | None = None
        self._is_stdin_open = has_stdin
        try:
            self._popen: subprocess.Popen[bytes] = _nursery.submit(
                _start, _mortal(argv), tuple(give_fds), folder, has_stdin=has_stdin
            ).result()
        except ChildError:
            raise
        except OSError as error:
            raise ChildError(f"{argv[0]} cannot be started ({error.strerror}): is it installed?") from error
        finally:
            for fd in give_fds:
                os.close(fd)
        if self._popen.stdin is not None:
            os.set_blocking(self._popen.stdin.fileno(), False)
        self._drains = (
            self._drain("progress", self._popen.stdout, self._take_progress),
            self._drain("log", self._popen.stderr, self._take_line),
        )
        log.info("child=%s event=started pid=%d", name, self.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id; its process group has the same."""
        return self._popen.pid

    @property
    def progress(self) -> Progress | None:
        """The last complete progress block."""
        return self._progress

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The last lines of its log, secrets replaced, oldest first."""
        return tuple(self._lines)

    @property
    def exit_code(self) -> int | None:
        """As Popen's returncode; None while it runs."""
        return self._popen.poll()

    def write(self, data: memoryview, timeout_s: float) -> int:
        """Write what fits into its stdin, waiting up to `timeout_s` for room. Returns how many bytes went.

        Raises BrokenPipeError when it no longer reads.
        """
        if self._popen.stdin is None or not self._is_stdin_open:
            raise BrokenPipeError(f"{self.name} has no open stdin.")
        fd = self._popen.stdin.fileno()
        try:
            return os.write(fd, data)
        except BlockingIOError:
            poll = select.poll()
            poll.register(fd, select.POLLOUT)
            poll.poll(timeout_s * 1000)
        try:
            return os.write(fd, data)
        except BlockingIOError:
            return 0

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None when it still runs after `timeout_s`."""
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """End it now, without a word; for one that is stuck in the network."""
        self._signal(signal.SIGKILL)
        self._popen.wait()
        self._close()

    def stop(self, patience_s: float = 2.0) -> int:
        """Close its stdin, then SIGINT, then SIGKILL, with up to `patience_s` after each. Returns the exit code.

        ffmpeg reading stdin ignores SIGINT while it waits for bytes, hence the first step. Safe to call twice.
        """
        self._close_stdin()
        if self._popen.poll() is None and (self._popen.stdin is None or self.wait(patience_s) is None):
            self._signal(signal.SIGINT)
            if self.wait(patience_s) is None:
                log.warning("child=%s event=killed reason=did-not-stop pid=%d", self.name, self.pid)
                self._signal(signal.SIGKILL)
        code = self._popen.wait()
        self._close()
        return code

    def _signal(self, number: signal.Signals) -> None:
        if self._popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # ended between the question and the signal
                os.killpg(self.pid, number)

    def _close_stdin(self) -> None:
        if self._is_stdin_open and self._popen.stdin is not None:
            self._is_stdin_open = False
            with contextlib.suppress(BrokenPipeError):
                self._popen.stdin.close()

    def _close(self) -> None:
        self._close_stdin()
        deadline = time.monotonic() + 1.0  # a grandchild that kept stderr open must not hold us
        for thread in self._drains:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _drain(self, what: str, pipe: IO[bytes] | None, take: _Take) -> threading.Thread:
        thread = threading.Thread(target=_read_lines, args=(pipe, take), name=f"{self.name}-{what}", daemon=True)
        thread.start()
        return thread

    def _take_progress(self, line: str, reader: ProgressReader) -> None:
        self._progress = reader.take(line) or self._progress

    def _take_line(self, line: str, _: ProgressReader) -> None:
        line = redacted(line, self._secrets)
        self._lines.append(line)
        is_trouble = any(mark in line for mark in ("[warning]", "[error]", "[fatal]", "[panic]"))
        log.log(logging.WARNING if is_trouble else logging.DEBUG, 'child=%s line="%s"', self.name, line)


_Take = Callable[[str, ProgressReader], None]


def _mortal(argv: Sequence[str]) -> list[str]:
    """The command line of a child that dies with us."""
    found = [shutil.which(name) for name in ("setpriv", argv[0])]
    for name, path in zip(("setpriv", argv[0]), found, strict=True):
        if path is None:
            raise ChildError(f"The program {name} is not installed: apt install ffmpeg util-linux.")
    return [str(found[0]), "--pdeathsig", "KILL", "--", str(found[1]), *argv[1:]]


def _start(
    argv: Sequence[str], give_fds: tuple[int, ...], folder: Path | None, *, has_stdin: bool
) -> subprocess.Popen[bytes]:
    surroundings = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE if has_stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        pass_fds=give_fds,
        cwd=folder,
        env=surroundings | {"LC_ALL": "C.UTF-8", "AV_LOG_FORCE_NOCOLOR": "1"},
        start_new_session=True,  # a Ctrl-C for us is not one for it: we stop it in order
    )


def _read_lines(pipe: IO[bytes] | None, take: _Take) -> None:
    """Read until the other end closes; a line longer than any ffmpeg writes is cut."""
    if pipe is None:
        return
    reader = ProgressReader()
    rest = b""
    with pipe:
        while portion := os.read(pipe.fileno(), 65536):
            *lines, rest = (rest + portion).replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                if line.strip():
                    take(line[:_LINE_BYTES].decode(errors="replace").rstrip(), reader)
            rest = rest[-_LINE_BYTES:]
