"""install.sh says in one sentence what is missing and what to do, on systems where something is.

The system's own programs are replaced by stubs on PATH, in a copy of what install.sh looks at.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]
POLICY = "/usr/sbin/policy-rc.d"
BOARD = "/proc/device-tree/model"
LISTS = "/var/lib/apt/lists"
ONE_AT_A_TIME = "/run/platypus-install.lock"
CONTROLLERS = "/sys/fs/cgroup/cgroup.controllers"
ALL_THERE = '#!/bin/sh\ncase "$*" in *picamera2* | *lgpio*) exit 1 ;; esac\nprintf installed\n'
NONE_THERE = "#!/bin/sh\nexit 1\n"
FAILS = "#!/bin/sh\necho 'E: Unable to connect to deb.example.org:80' >&2\nexit 100\n"
WORKS = '#!/bin/sh\necho "$0 $*" >>"$CALLS"\n'


@pytest.fixture
def run(tmp_path: Path) -> Run:
    project = tmp_path / "platypus"
    project.mkdir()
    shutil.copytree(ROOT / "requirements", project / "requirements")
    for folder in ("install", "systemd", "kiosk", "stream", "hardware"):
        (project / folder).symlink_to(ROOT / folder)
    shutil.copy(ROOT / "pyproject.toml", project)
    script = (ROOT / "install.sh").read_text()
    # This machine may have a policy of its own, which an installation leaves alone, and is what it is: look elsewhere.
    places = {POLICY: "policy", BOARD: "board", LISTS: "lists", ONE_AT_A_TIME: "lock", CONTROLLERS: "controllers"}
    for place, name in places.items():
        assert len(re.findall(f"^readonly [A-Z_]+={place}( #.*)?$", script, re.MULTILINE)) == 1
        script = script.replace(place, str(tmp_path / name))
    for constant, is_now in (("LOCK_LOOK_S=5", "LOCK_LOOK_S=0.01"), ("LOCK_WAIT_S=300", "LOCK_WAIT_S=2")):
        assert script.count(f"readonly {constant}\n") == 1
        script = script.replace(constant, is_now)
    (project / "install.sh").write_text(script)
    (project / "install.sh").chmod(0o755)
    stubs = tmp_path / "stubs"
    stubs.mkdir()

    def run(*words: str, **programs: str) -> subprocess.CompletedProcess[str]:
        for name, text in programs.items():
            path = stubs / name.replace("_", "-")
            path.write_text(text)
            path.chmod(0o755)
        environment = {"PATH": f"{stubs}:/usr/bin:/bin", "HOME": str(tmp_path), "CALLS": str(tmp_path / "calls")}
        return subprocess.run(
            [str(project / "install.sh"), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The last sentence of a run that gave up."""
    assert done.returncode == 1 and done.stdout == "", done.stdout + done.stderr
    return done.stderr.splitlines()[-1]


# A sudo that does what apt-get is asked, by way of env, and nothing else to this machine.
APT_SUDO = '#!/bin/sh\n[ "$1" = -n ] && shift\ncase $1 in env | true) "$@" ;; *) cat >/dev/null ;; esac\n'
USER = "#!/bin/sh\ncase $1 in -u) echo 1000;; *) echo pi;; esac\n"
ROOT_USER = "#!/bin/sh\ncase $1 in -u) echo 0;; *) echo root;; esac\n"


def test_a_word_it_does_not_know_shows_the_usage(run: Run) -> None:
    for word in ("instal", "--instal"):
        done = run(word, id=USER)
        assert done.returncode == 2 and "./install.sh demo" in done.stderr
    assert "./install.sh test" in run("--help").stdout


def test_services_are_installed_by_root_alone(run: Run) -> None:
    assert "run it as root: sudo ./install.sh" in said(run(id=USER))
    assert "run it as root: sudo ./install.sh --rollback" in said(run("--rollback", id=USER))
    # who may not look everywhere would be told that what is there is not
    assert "run it as root: sudo ./install.sh --dry-run --door" in said(run("--dry-run", "--door", id=USER))


def test_a_dry_run_says_what_would_be_done(run: Run) -> None:
    done = run("--dry-run", "--door", id=ROOT_USER, dpkg_query=NONE_THERE, dpkg=NONE_THERE)
    assert done.returncode == 0, done.stderr
    for step in (
        "installing from apt: ",
        "python3-numpy",
        "building the release 0.1.0-",
        "enabling platypus-door.service",
    ):
        assert step in done.stderr
    assert "enabling platypus-stream.service" not in done.stderr and "picamera2" not in done.stderr
    assert done.stderr.splitlines()[-1] == "install: nothing was done: this was --dry-run"


def test_a_pi_whose_apt_has_no_lists_yet_asks_for_them_before_it_says_what_apt_has(run: Run, tmp_path: Path) -> None:
    (tmp_path / "board").write_text("Raspberry Pi 5 Model B Rev 1.0\0")
    done = run("--dry-run", id=ROOT_USER, dpkg_query=NONE_THERE, dpkg=NONE_THERE, apt_cache=NONE_THERE)
    lines = done.stderr.splitlines()
    assert lines[0] == "install: would: asking apt for its lists"
    assert "python3-picamera2" in lines[1]
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "deb.example.org_Packages").write_text("")  # Debian's own archive, on a Pi
    done = run("--dry-run", id=ROOT_USER)
    assert "asking apt for its lists" not in done.stderr and "picamera2" not in done.stderr


def test_a_pi_that_has_its_camera_library_asks_for_no_lists(run: Run, tmp_path: Path) -> None:
    (tmp_path / "board").write_text("Raspberry Pi 5 Model B Rev 1.0\0")
    everything = "#!/bin/sh\nprintf installed\n"
    done = run("--dry-run", "--offline", str(tmp_path), id=ROOT_USER, dpkg_query=everything, dpkg=NONE_THERE)
    assert done.returncode == 0 and "apt" not in done.stderr  # there may be no network


def test_a_kernel_that_limits_no_memory_is_told_and_what_to_write_where(run: Run, tmp_path: Path) -> None:
    for controllers, is_told in (("cpuset cpu io pids\n", True), ("cpuset cpu io memory pids\n", False)):
        (tmp_path / "controllers").write_text(controllers)
        done = run("--dry-run", id=ROOT_USER, dpkg_query=NONE_THERE, dpkg=NONE_THERE)
        assert ("cgroup_enable=memory to the one line of /boot/firmware/cmdline.txt" in done.stderr) is is_told


@pytest.mark.parametrize("words", [["demo"], ["--dry-run"]])
def test_another_processor_is_said_before_anything_is_begun(run: Run, words: list[str]) -> None:
    sentence = said(run(*words, id=ROOT_USER, dpkg="#!/bin/sh\necho armhf\n", dpkg_query=NONE_THERE))
    assert "64-bit" in sentence and "this one is armhf" in sentence


@pytest.mark.parametrize("words", [["demo"], ["--dry-run"]])
def test_the_copy_in_a_release_says_that_it_only_goes_back_or_away(run: Run, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "platypus" / "kiosk").unlink()
    sentence = said(run(*words, id=ROOT_USER))
    assert "--rollback" in sentence and "--uninstall" in sentence and "whole folder" in sentence


def test_a_folder_of_wheels_that_is_not_there_is_said(run: Run) -> None:
    assert "--offline wants a folder of wheels" in said(run("--offline", "/nowhere", id=USER))


def test_a_user_who_cannot_sudo_is_told_what_is_missing(run: Run) -> None:
    sentence = said(run("demo", id=USER, dpkg_query=NONE_THERE, sudo="#!/bin/sh\nexit 127\n"))
    assert "sudo wants a password" in sentence and "mosquitto" in sentence and "as root" in sentence


def test_a_network_that_is_away_is_said(run: Run) -> None:
    done = run("demo", id=USER, dpkg_query=NONE_THERE, sudo=APT_SUDO, apt_get=FAILS)
    assert "Is the network there?" in said(done)
    assert "Unable to connect" in done.stderr  # apt's own words stand above


# What apt-get says when another one is at work; HELD_TIMES is for how many times.
HELD = """#!/bin/sh
echo "$LC_ALL $*" >>"$CALLS"
[ "$(wc -l <"$CALLS")" -le HELD_TIMES ] || { echo 'E: Unable to connect' >&2; exit 100; }
echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)' >&2
exit 100
"""


def test_a_system_that_is_updating_itself_is_waited_for(run: Run, tmp_path: Path) -> None:
    held = HELD.replace("HELD_TIMES", "3")
    done = run("demo", id=USER, dpkg_query=NONE_THERE, sudo=APT_SUDO, apt_get=held)
    assert "Is the network there?" in said(done)  # which the fourth time came to
    assert done.stderr.count("the system is updating itself") == 1
    # in English whatever the machine speaks: else these words would not be known
    assert (tmp_path / "calls").read_text().splitlines() == ["C.UTF-8 -q update"] * 4


def test_a_lock_that_is_held_for_ever_is_said(run: Run) -> None:
    held = HELD.replace("HELD_TIMES", "100000")
    done = run("demo", id=USER, dpkg_query=NONE_THERE, sudo=APT_SUDO, apt_get=held)
    assert "has held a lock of apt's for 2 s" in said(done) and "held by process 7" in done.stderr


def test_packages_that_were_interrupted_are_mended_asking_nothing_and_starting_no_server(
    run: Run, tmp_path: Path
) -> None:
    dpkg = (
        "#!/bin/sh\n"
        '[ "$1" = --print-architecture ] && echo amd64 && exit\n'
        "[ \"$1\" = --audit ] && echo 'nginx is half configured' && exit\n"
        f'echo "$DEBIAN_FRONTEND $*" >>"$CALLS"; cat {tmp_path / "policy"} >>"$CALLS"\n'
        "echo 'dpkg: error processing package nginx' >&2\n"
        "exit 1\n"
    )
    there_but_nginx = '#!/bin/sh\ncase "$*" in *nginx*) exit 1 ;; esac\nprintf installed\n'
    done = run("--yes", id=ROOT_USER, dpkg=dpkg, dpkg_query=there_but_nginx, systemctl="#!/bin/sh\n")
    assert done.returncode == 1 and "error processing package nginx" in done.stderr
    assert "sudo dpkg --audit" in done.stderr
    call, *policy = (tmp_path / "calls").read_text().splitlines()
    assert call == "noninteractive --force-confdef --force-confold --configure -a"
    assert policy[-1] == "exit 101"  # invoke-rc.d(8): not allowed
    assert not (tmp_path / "policy").exists()


OLD_PYTHON = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'Python 3.9.2' && exit\nexit 1\n"
OLD_PYTHONS = dict.fromkeys(("python3", "python3.11", "python3.12", "python3.13"), OLD_PYTHON)


def test_a_python_that_is_too_old_is_said(run: Run) -> None:
    assert "Python 3.11 or newer is needed, this system has Python 3.9.2" in said(
        run("demo", dpkg_query=ALL_THERE, **OLD_PYTHONS)
    )


def test_a_full_disk_is_said_before_anything_is_begun(run: Run) -> None:
    df = "#!/bin/sh\nprintf 'Filesystem 1M-blocks Used Available\\n/dev/x 10 3 7 1%% /\\n'\n"
    assert "only 7 MB are free" in said(run("demo", dpkg_query=NONE_THERE, df=df))


def test_a_full_disk_for_what_apt_fetches_is_said(run: Run) -> None:
    df = (
        "#!/bin/sh\n"
        "case $2 in /var*) free=8 ;; *) free=90000 ;; esac\n"
        "printf 'Filesystem 1M-blocks Used Available\\n/dev/x 10 3 %s 1%% /\\n' $free\n"
    )
    assert "only 8 MB are free in /var/" in said(run("demo", dpkg_query=NONE_THERE, df=df))


def test_a_system_without_apt_is_said(run: Run, tmp_path: Path) -> None:
    bare = tmp_path / "bare"  # all the usual programs, without apt-get
    bare.mkdir()
    for name in ("bash", "dirname", "readlink", "mktemp", "rm", "grep", "id", "sed"):
        (bare / name).symlink_to(shutil.which(name) or name)
    done = subprocess.run(
        ["/bin/bash", str(tmp_path / "platypus" / "install.sh"), "demo"],
        env={"PATH": str(bare)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "runs on Debian 12 or 13" in said(done)


def test_a_package_index_that_is_away_is_said_and_the_next_run_goes_on(run: Run, tmp_path: Path) -> None:
    venv = tmp_path / "platypus" / ".venv" / "bin"
    venv.mkdir(parents=True)
    (venv.parent / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    pip = venv / "python"
    pip.write_text(
        '#!/bin/sh\n[ "$4" = --version ] || [ "$3" = --version ] && exit 0\necho \'no route to host\' >&2\nexit 1\n'
    )
    pip.chmod(0o755)
    done = run("demo", dpkg_query=ALL_THERE)
    assert "Run this again when it is." in said(done) and "no route to host" in done.stderr
    assert not (venv.parent / ".installed").exists()


RECORDING_SUDO = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in *" install -y "*) : >"$CALLS.installed" ;; esac
case "$*" in *"$BREAKS"*) kill -INT "$PPID" ;; esac
cat >/dev/null
"""
INSTALLED_LATER = '#!/bin/sh\n[ -e "$CALLS.installed" ] && printf installed\n'


@pytest.mark.parametrize("breaks", ["nothing breaks", "install -y"])
def test_servers_that_apt_brings_are_neither_started_nor_left_to_start(run: Run, tmp_path: Path, breaks: str) -> None:
    """Through a sudo that only writes down what it is asked; also when Ctrl-C falls into apt's work."""
    sudo = RECORDING_SUDO.replace("$BREAKS", breaks)
    # With an old Python it ends after apt's part, which is the one that is looked at.
    run("demo", id=USER, dpkg_query=INSTALLED_LATER, sudo=sudo, systemctl="#!/bin/sh\n", **OLD_PYTHONS)
    calls = (tmp_path / "calls").read_text().splitlines()
    policy, install = (
        calls.index(f"tee {tmp_path / 'policy'}"),
        next(n for n, c in enumerate(calls) if "install -y" in c),
    )
    gone = calls.index(f"rm -f {tmp_path / 'policy'}")
    assert policy < install < gone
    assert {"systemctl disable --quiet mosquitto", "systemctl disable --quiet nginx"} <= set(calls[install:])


def test_a_policy_that_a_power_cut_left_goes_with_the_next_run(run: Run, tmp_path: Path) -> None:
    mark = next(
        line for line in (ROOT / "install.sh").read_text().splitlines() if line.startswith("readonly POLICY_MARK=")
    )
    # nginx was there before, for somebody's own purposes: it is not named
    (tmp_path / "policy").write_text(f"#!/bin/sh\n# {mark.split(chr(34))[1]} mosquitto\nexit 101\n")
    sudo = RECORDING_SUDO.replace("$BREAKS", "nothing breaks")
    run("demo", id=USER, dpkg_query=ALL_THERE, sudo=sudo, systemctl="#!/bin/sh\n", **OLD_PYTHONS)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert f"rm -f {tmp_path / 'policy'}" in calls
    assert [each for each in calls if "disable" in each] == ["systemctl disable --quiet mosquitto"]


def test_a_policy_of_somebody_else_stays(run: Run, tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("#!/bin/sh\nexit 101\n")
    sudo = RECORDING_SUDO.replace("$BREAKS", "nothing breaks")
    run("demo", id=USER, dpkg_query=INSTALLED_LATER, sudo=sudo, systemctl="#!/bin/sh\n", **OLD_PYTHONS)
    assert "policy" not in (tmp_path / "calls").read_text()


def test_pretix_is_no_longer_fetched_when_a_linter_has_found_something(run: Run, tmp_path: Path) -> None:
    """pip is a child of a child, and would go on for a minute."""
    project = tmp_path / "platypus"
    tools = project / ".venv" / "bin"
    tools.mkdir(parents=True)
    (tools.parent / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    begun = tmp_path / "begun"
    # As pretix's Python it makes a venv that never ends; ruff, and with it the run, fails once that has begun.
    python = (
        "#!/bin/sh\n"
        'case "$*" in\n'
        f"*{project}/.pretix*) echo $$ >{begun}.new; mv {begun}.new {begun}; exec sleep 50 ;;\n"
        "*--version*) echo 'Python 3.11.2' ;;\n"
        "esac\n"
    )
    for name in ("python", "platypus"):
        (tools / name).write_text("#!/bin/sh\nexit 0\n")
        (tools / name).chmod(0o755)
    (tools / "ruff").write_text(f"#!/bin/sh\nuntil [ -e {begun} ]; do sleep 0.05; done\nexit 1\n")
    (tools / "ruff").chmod(0o755)
    done = run("test", dpkg_query=ALL_THERE, python3=python)
    assert done.returncode == 1
    try:
        pip = os.pidfd_open(int(begun.read_text()))
    except ProcessLookupError:
        return
    assert select.select([pip], [], [], 5)[0], "it goes on"  # readable as soon as it has ended
    os.close(pip)
