"""What the machine says of itself, read from a made-up machine and from this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.board import Board, Memory, Power


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A warm Raspberry Pi."""
    for path, text in {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
        "proc/meminfo": "MemTotal:        3884364 kB\nMemAvailable:    2500000 kB\nHugePages_Total:       0\n",
        "proc/mounts": f"/dev/root / ext4 rw 0 0\ntmpfs {tmp_path}/ram tmpfs rw 0 0\n",
        "sys/class/thermal/thermal_zone0/temp": "61823\n",
        "sys/class/thermal/thermal_zone1/temp": "off\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "ram").mkdir()
    return tmp_path


def firmware_says(root: Path, script: str) -> None:
    command = root / "usr/bin/vcgencmd"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)


def test_a_pi_tells_its_model_heat_and_memory(root: Path) -> None:
    state = Board(root, is_clock_trusted=lambda: False).state(root)
    assert state.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert state.temperature_c == 61.823
    assert state.memory == Memory(3884364 * 1024, 2500000 * 1024)
    assert not state.is_clock_trusted


@pytest.mark.parametrize(
    ("answer", "power"),
    [
        ("0x0", Power(False, False, False, False)),
        ("0x1", Power(True, False, False, False)),
        ("0x50005", Power(True, True, True, True)),
        ("0x50000", Power(False, False, True, True)),
        ("0x80008", Power(False, True, False, True)),  # the soft limit
        ("0x20002", Power(False, True, False, True)),  # frequency capped
    ],
)
def test_the_firmware_bits_tell_now_from_since_boot(root: Path, answer: str, power: Power) -> None:
    firmware_says(root, f'test "$1" = get_throttled && echo throttled={answer}')
    assert Board(root).power() == power


@pytest.mark.parametrize("script", ["exit 255", "echo VCHI initialization failed", "kill -9 $$"])
def test_a_firmware_that_does_not_answer_is_unknown_and_logged_not_healthy(
    root: Path, script: str, caplog: pytest.LogCaptureFixture
) -> None:
    firmware_says(root, script)
    assert Board(root).power() is None
    assert "event=no-power-figure" in caplog.text


@pytest.mark.parametrize("has_command", [True, False])
def test_a_program_that_may_not_ask_the_firmware_asks_the_kernel(
    root: Path, has_command: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if has_command:
        firmware_says(root, "exit 255")
    file = root / "sys/devices/platform/soc/soc:firmware/get_throttled"
    file.parent.mkdir(parents=True)
    file.write_text("50005\n")
    assert Board(root).power() == Power(True, True, True, True)
    assert not caplog.text


def test_a_firmware_that_never_answers_fills_no_log(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    firmware_says(root, "exit 255")
    board = Board(root)
    assert [board.power() for _ in range(3)] == [None, None, None]
    assert caplog.text.count("event=no-power-figure") == 1


def test_a_laptop_has_no_figures_of_a_pi_and_no_made_up_ones(tmp_path: Path) -> None:
    board = Board(tmp_path)
    assert (board.model(), board.temperature_c(), board.power(), board.memory()) == (None, None, None, None)


def test_a_ram_disk_is_no_place_for_a_ledger(root: Path) -> None:
    board = Board(root)
    in_ram, on_card = board.disk(root / "ram"), board.disk(root)
    assert in_ram is not None
    assert on_card is not None
    assert in_ram.is_volatile
    assert not on_card.is_volatile
    assert 0 < on_card.free_bytes <= on_card.total_bytes
    assert board.disk(root / "absent") is None


def test_this_very_machine_can_be_read() -> None:
    state = Board().state(Path("/tmp"))
    assert state.memory is not None
    assert 0 < state.memory.available_bytes <= state.memory.total_bytes
    assert state.disk is not None
