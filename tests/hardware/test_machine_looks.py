"""What is plugged in, what systemd says, the way out, and the switch: read from made-up machines."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from hardware.board import Board
from hardware.checks import disk_check, power_checks, system_checks
from hardware.devices import device_check, microphone_check, module_check
from hardware.network import WayOut, host_check, network_check, way_out
from hardware.power_switch import FakePower, PowerError, SystemdPower
from hardware.units import journal, unit_check, units

ROUTE = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
    "wlan0\t0002000A\t00000000\t0001\t0\t0\t600\t00FFFFFF\n"
    "wlan0\t00000000\t0102000A\t0003\t0\t0\t600\t00000000\n"
)
WIRELESS = "Inter-| sta-|   Quality\n face | tus | link level noise\n wlan0: 0000   30.  -80.  -256  0  0  0\n"
SHOWN = """Id=platypus-stream.service
LoadState=loaded
ActiveState=active
SubState=running
Result=success
NRestarts=2
ActiveEnterTimestamp=Tue 2026-11-24 19:02:11 CET

Id=platypus-door.service
LoadState=loaded
ActiveState=failed
SubState=failed
Result=watchdog
NRestarts=5
ActiveEnterTimestamp=

Id=platypus-old.service
LoadState=not-found
ActiveState=inactive
"""


def write(root: Path, path: str, text: str) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def program(root: Path, name: str, script: str) -> None:
    write(root, f"usr/bin/{name}", f"#!/bin/sh\n{script}\n").chmod(0o755)


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    """Run by systemd, which started this very program."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    write(tmp_path, "proc/self/cgroup", "0::/system.slice/platypus-dashboard.service\n")
    write(tmp_path, "shown", SHOWN)
    program(tmp_path, "systemctl", f'echo "$@" >> {tmp_path}/asked; test "$1" = show && cat {tmp_path}/shown; true')
    return tmp_path


def mounts(root: Path, *lines: str) -> Board:
    write(root, "proc/mounts", "\n".join(lines) + "\n")
    return Board(root)


# -- supply and disk --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bits", "power", "speed"),
    [
        ("0x0", "ok", "ok"),
        ("0x50000", "attention", "attention"),
        ("0x50005", "bad", "bad"),
        ("0x80008", "ok", "bad"),  # the soft limit: heat, with a good supply
        ("0x10000", "attention", "ok"),
    ],
)
def test_supply_and_speed_are_told_apart_now_and_since_the_start(
    tmp_path: Path, bits: str, power: str, speed: str
) -> None:
    program(tmp_path, "vcgencmd", f"echo throttled={bits}")
    found = {check.name: check for check in power_checks(Board(tmp_path))}
    assert (found["power"].state, found["speed"].state) == (power, speed)
    assert all(bool(check.do) == (check.state != "ok") for check in found.values())


def test_a_state_in_memory_is_shouted(tmp_path: Path) -> None:
    board = mounts(tmp_path, "/dev/root / ext4 rw 0 0", f"tmpfs {tmp_path} tmpfs rw 0 0")
    check = disk_check(board, tmp_path)
    assert check.state == "bad" and "the state would be lost" in check.says and "move state_dir" in check.do


def test_the_overlay_of_a_pi_is_told_with_what_it_means(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    lines = [
        "/dev/mmcblk0p2 /media/root-ro ext4 ro 0 0",
        "tmpfs-root /media/root-rw tmpfs rw 0 0",
        "overlayroot / overlay rw,lowerdir=/media/root-ro,upperdir=/media/root-rw/overlay 0 0",
    ]
    board = mounts(tmp_path, *lines)
    assert disk_check(board, tmp_path / "data").state == "bad"
    (system,) = system_checks(board)
    assert "lost at the next start" in system.says and "raspi-config" in system.do
    board = mounts(tmp_path, *lines, f"/dev/mmcblk0p3 {tmp_path}/data ext4 rw 0 0")
    assert disk_check(board, tmp_path / "data").state != "bad", "data on a partition of its own is kept"


def test_an_overlay_over_a_disk_is_a_disk(tmp_path: Path) -> None:
    upper = f"overlay {tmp_path} overlay rw,upperdir=/var/lib/x/diff 0 0"
    board = mounts(tmp_path, "/dev/sda1 / ext4 rw 0 0", upper)
    assert disk_check(board, tmp_path).state != "bad" and system_checks(board) == []


def test_a_disk_that_turned_read_only_is_bad(tmp_path: Path) -> None:
    board = mounts(tmp_path, "/dev/root / ext4 ro,noatime 0 0")
    assert "nothing can be written" in disk_check(board, tmp_path).says


def test_room_is_told_as_time_of_recording(tmp_path: Path) -> None:
    assert "of recording" in disk_check(mounts(tmp_path, "/dev/root / ext4 rw 0 0"), tmp_path, kbps=2628).says


# -- cameras and microphones ------------------------------------------------------------------------------------------


def test_a_camera_that_somebody_has_is_seen_without_being_opened(tmp_path: Path) -> None:
    write(tmp_path, "dev/video0", "").chmod(0o000)
    write(tmp_path, "sys/class/video4linux/video0/name", "USB Camera: HD\n")
    check = device_check("door camera", "/dev/video0", tmp_path)
    assert (check.state, check.says) == ("ok", "seen: USB Camera: HD")
    missing = device_check("door camera", "/dev/video2", tmp_path)
    assert missing.state == "bad" and missing.do


def test_a_program_that_may_use_no_device_sees_cameras_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/video4linux/video0/name", "USB Camera: HD\n")
    assert device_check("stage camera", "/dev/video0", tmp_path).says == "seen: USB Camera: HD"
    assert device_check("stage camera", "/dev/v4l/by-id/usb-x", tmp_path).says == "seen: USB Camera: HD"
    (tmp_path / "dev/v4l").mkdir(parents=True)
    assert device_check("stage camera", "/dev/v4l/by-id/usb-x", tmp_path).state == "bad"


def test_a_camera_module_is_known_by_its_sensor(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/video4linux/v4l-subdev0/name", "imx708_wide\n")
    write(tmp_path, "sys/class/video4linux/v4l-subdev1/name", "dw9807\n")
    write(tmp_path, "sys/class/video4linux/v4l-subdev2/name", "rp1-cfe-csi2\n")
    assert module_check("door camera", 0, tmp_path).says == "seen: imx708_wide"
    assert module_check("door camera", 1, tmp_path).state == "bad"


@pytest.mark.parametrize("name", ["hw:1,0", "plughw:1", "plughw:CARD=Mic,DEV=0", "default"])
def test_a_microphone_is_seen_by_any_of_its_names(tmp_path: Path, name: str) -> None:
    for card in ("card1", "Mic"):
        (tmp_path / "proc/asound" / card / "pcm0c").mkdir(parents=True)
    assert microphone_check("microphone", name, tmp_path).state == "ok"
    assert microphone_check("microphone", "plughw:2,0", tmp_path).state == "bad"


# -- services ---------------------------------------------------------------------------------------------------------


def test_services_tell_since_when_and_how_often_they_fell(pi: Path) -> None:
    door, stream = map(unit_check, units(pi))
    assert (door.name, door.state, door.says) == ("platypus-door", "bad", "it does not run (watchdog)")
    assert "systemctl restart platypus-door" in door.do
    assert stream.state == "attention"
    assert stream.says == "running since 2026-11-24 19:02; it was started again 2 times"


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense", "kill -9 $$"])
def test_a_systemd_that_does_not_answer_has_no_services(pi: Path, script: str) -> None:
    program(pi, "systemctl", script)
    assert list(units(pi)) == []


def test_the_journal_is_read_whatever_stands_in_it(pi: Path) -> None:
    at = {"__REALTIME_TIMESTAMP": "1795544342000000", "_SYSTEMD_UNIT": "platypus-door.service"}
    lines = [{**at, "MESSAGE": "event=scan"}, {**at, "MESSAGE": [255, 104, 105]}, {"MESSAGE": "no time"}]
    write(pi, "journal", "\n".join(map(json.dumps, lines)) + "\nhalf a li")
    program(pi, "journalctl", f"cat {pi}/journal")
    assert [(line.program, line.text) for line in journal(200, pi)] == [("door", "event=scan"), ("door", "\ufffdhi")]
    program(pi, "journalctl", "echo No journal files were opened due to insufficient permissions. >&2; exit 1")
    assert list(journal(200, pi)) == []


# -- network ----------------------------------------------------------------------------------------------------------


def test_the_way_out_is_the_kernels(tmp_path: Path) -> None:
    assert way_out(tmp_path) is None
    write(tmp_path, "proc/net/route", ROUTE)
    write(tmp_path, "proc/net/wireless", WIRELESS)
    way = way_out(tmp_path)
    assert way is not None and (way.interface, way.wifi_dbm) == ("wlan0", -80)
    assert "weak (-80 dBm)" in network_check(way, is_needed=True).says


def test_without_a_network_the_door_goes_on_and_the_stream_does_not() -> None:
    assert network_check(None, is_needed=False).state == "attention"
    assert network_check(None, is_needed=True).state == "bad"
    assert network_check(WayOut("eth0", "192.0.2.7", None), is_needed=True).state == "ok"


def test_a_host_is_asked_for_a_connection_and_nothing_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert host_check("way to hall", "127.0.0.1", port).state == "ok"
        taken, _ = server.accept()
        with taken:
            assert taken.recv(10) == b""
    gone = host_check("way to hall", "127.0.0.1", port)
    assert (gone.state, gone.says) == ("bad", f"no answer of 127.0.0.1 at port {port}")
    assert "is not found" in host_check("way to hall", "nobody.invalid", 1935).says


# -- the switch -------------------------------------------------------------------------------------------------------


def test_systemd_is_asked_for_what_was_pressed_and_waited_for_by_nobody(pi: Path) -> None:
    power = SystemdPower(pi)
    assert power.trouble() == ""
    power.switch_off()
    power.start_anew()
    power.start_program_anew("door")
    assert (pi / "asked").read_text().splitlines() == [
        "--no-ask-password --no-block poweroff",
        "--no-ask-password --no-block reboot",
        "--no-ask-password --no-block restart platypus-door.service",
    ]


@pytest.mark.parametrize("stranger", ["", "ssh", "door.service", "../door", "--now"])
def test_the_names_of_services_are_ours_alone(pi: Path, stranger: str) -> None:
    for power in (SystemdPower(pi), FakePower()):
        with pytest.raises(PowerError, match="There is no program"):
            power.start_program_anew(stranger)
    assert not (pi / "asked").exists()


def test_a_dashboard_in_a_terminal_switches_no_laptop_off(pi: Path) -> None:
    write(pi, "proc/self/cgroup", "0::/user.slice/user-1000.slice/session-2.scope\n")
    power = SystemdPower(pi)
    assert "started by hand" in power.trouble()
    with pytest.raises(PowerError, match="started by hand"):
        power.switch_off()
    assert not (pi / "asked").exists()


def test_without_systemd_it_is_said_what_to_do(tmp_path: Path) -> None:
    assert "at the machine itself" in SystemdPower(tmp_path).trouble()


def test_without_the_right_it_is_said_why_and_what_to_type(pi: Path) -> None:
    program(pi, "systemctl", "echo 'Call to PowerOff failed: Interactive authentication required.' >&2; exit 1")
    with pytest.raises(PowerError, match=r"authentication required\.\)\. At the machine: sudo systemctl poweroff"):
        SystemdPower(pi).switch_off()
