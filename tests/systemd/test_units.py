"""The units are understood by systemd, as shut as they claim to be, and run what there is; nothing is started here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "systemd"
MOST_EXPOSED = {"bus": 1.0, "door": 2.0, "stream": 2.0, "dashboard": 1.5}  # systemd-analyze security

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here (apt install systemd)"
)


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60, check=False)


@needs_systemd
@pytest.mark.parametrize("name", MOST_EXPOSED)
def test_a_service_is_no_more_exposed_than_it_may_be(name: str) -> None:
    threshold = round(MOST_EXPOSED[name] * 10)
    unit = UNITS / f"platypus-{name}.service"
    done = analyze("security", "--offline=true", "--no-pager", f"--threshold={threshold}", str(unit))
    assert done.returncode == 0, done.stdout.splitlines()[-1]


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    # the programs are not where they will be: the lines are what is looked at
    for path in (*UNITS.glob("platypus*.service"), UNITS / "platypus.target"):
        text = re.sub(r"^ExecStart=.*", "ExecStart=/bin/true", path.read_text(), flags=re.MULTILINE)
        (tmp_path / path.name).write_text(text)
    shutil.copytree(UNITS / "platypus-.service.d", tmp_path / "platypus-.service.d")
    done = analyze("verify", "--man=no", *(str(path) for path in sorted(tmp_path.iterdir()) if path.is_file()))
    about_ours = [line for line in done.stderr.splitlines() if "platypus" in line]
    assert about_ours == []


def unit(name: str) -> str:
    return (UNITS / f"platypus-{name}.service").read_text()


def test_what_the_common_part_says_is_said_nowhere_else() -> None:
    """It is read after a unit's own lines and would win over them, unseen."""
    common = (UNITS / "platypus-.service.d" / "10-common.conf").read_text()
    names = set(re.findall(r"^([A-Za-z]+)=", common, re.MULTILINE))
    for name in MOST_EXPOSED:
        own = set(re.findall(r"^([A-Za-z]+)=", unit(name), re.MULTILINE))
        assert own & names <= {"After"}, name


def test_the_dashboard_has_no_device_and_no_key() -> None:
    lines = unit("dashboard").splitlines()
    assert "PrivateDevices=yes" in lines
    assert not any(line.startswith(("DeviceAllow", "SupplementaryGroups")) for line in lines)
    assert any(line.startswith("InaccessiblePaths=") and "secrets.toml" in line for line in lines)


def test_a_failing_service_never_reboots_the_machine() -> None:
    text = "".join(path.read_text() for path in UNITS.rglob("*") if path.is_file())
    assert re.findall(r"^(?:StartLimit|Failure|Success)Action=(.*)", text, re.MULTILINE) == ["none", "none"]


def test_every_user_of_a_unit_is_made() -> None:
    made = set(re.findall(r"^[ug] (\S+)", (UNITS / "sysusers.d" / "platypus.conf").read_text(), re.MULTILINE))
    for name in MOST_EXPOSED:
        for line in re.findall(r"^(?:User|Group|SupplementaryGroups)=(.*)", unit(name), re.MULTILINE):
            assert set(line.split()) <= made


def test_what_systemd_still_waits_for_is_not_called_broken() -> None:
    """An upgrade goes back after a minute: a service has that long, less the time it has to be steady."""
    script = (ROOT / "install" / "appliance.sh").read_text()
    common = (UNITS / "platypus-.service.d" / "10-common.conf").read_text()

    def number(pattern: str, text: str) -> int:
        return int(re.findall(pattern, text, re.MULTILINE)[0])

    steady_s = number(r"^readonly STEADY_S=(\d+)", script)
    start_s = number(r"^TimeoutStartSec=(\d+)$", common)
    assert start_s + steady_s <= number(r"^readonly HEALTHY_WITHIN_S=(\d+)", script) == 60
    assert steady_s > number(r"^RestartSec=(\d+)$", common)


@pytest.mark.parametrize("name", MOST_EXPOSED)
def test_a_limit_of_memory_says_what_it_stands_on(name: str) -> None:
    """Its figures stand in the comment above it, and leave room."""
    reason, limit_mb = re.findall(r"((?:^#.*\n)+)MemoryMax=(\d+)M$", unit(name), re.MULTILINE)[0]
    assert "tests/appliance" in reason
    assert sum(int(figure) for figure in re.findall(r"(\d+) MB", reason)) < int(limit_mb)


def test_a_state_that_is_mounted_is_waited_for() -> None:
    assert "After=var-lib-platypus.mount\n" in (UNITS / "platypus-.service.d" / "10-common.conf").read_text()
