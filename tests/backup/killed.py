"""Makes or restores a backup, and is killed (SIGKILL) right before its n-th step that changes a folder or a file.

    python killed.py STEP CONFIG            a backup
    python killed.py STEP CONFIG FILE       a restore

A step is what Python itself tells of (sys.addaudithook): nothing of ours is replaced. Prints how many steps there were
when it was not killed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from kiosk import safekeeping

_STEPS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "sqlite3.connect"}


def main() -> None:
    limit, config, *file = int(sys.argv[1]), Path(sys.argv[2]), *map(Path, sys.argv[3:])
    count = 0

    def step(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in _STEPS or (event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wx+")):
            count += 1
            if count == limit:
                os.kill(os.getpid(), signal.SIGKILL)

    foreseen = safekeeping.foresee(config, file[0], with_config=True) if file else None
    sys.addaudithook(step)
    if foreseen is None:
        safekeeping.make(config)
    else:
        safekeeping.put_back(config, file[0], foreseen)
    print(count)


main()
