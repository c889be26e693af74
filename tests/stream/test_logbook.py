"""What became of the stream: kept through kills, told in minutes and gaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hardware.clock import ManualClock
from stream.aired import Aired, StreamReport, stream_report
from stream.health import Health, LegKind, LegState, StreamState
from stream.logbook import Logbook, read

BEGIN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


def state(order: str = "live", recording: str | None = "a.ts", **legs: Health) -> StreamState:
    kinds = {name: LegState(name=name, kind=LegKind.DESTINATION, state=health) for name, health in legs.items()}
    preview = LegState(name="preview", kind=LegKind.PREVIEW, state=Health.LIVE)
    return StreamState(order=order, legs=(*kinds.values(), preview), recording=recording)


class Evening:
    """A stream whose state is noted twice a second, as its process does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualClock(BEGIN)
        self.logbook = Logbook(path, self.clock)

    def lasts(self, seconds: float, now: StreamState) -> None:
        for _ in range(int(seconds * 2)):
            self.logbook.note(now)
            self.clock.advance(0.5)

    def killed(self, away_s: float) -> None:
        self.clock.advance(away_s)
        self.logbook = Logbook(self.path, self.clock)

    def told(self) -> StreamReport:
        return stream_report(read(self.path), BEGIN - timedelta(hours=1), BEGIN + timedelta(hours=12))


@pytest.fixture
def evening(tmp_path: Path) -> Evening:
    return Evening(tmp_path / "stream-log.jsonl")


def test_minutes_and_gaps_of_each_destination_are_told(evening: Evening) -> None:
    evening.lasts(5, state(tube=Health.CONNECTING, peer=Health.CONNECTING))  # before the first moment: no gap
    evening.lasts(600, state(tube=Health.LIVE, peer=Health.LIVE))
    evening.lasts(30, state(tube=Health.LOST, peer=Health.LIVE))
    evening.lasts(300, state(tube=Health.BEHIND, peer=Health.LIVE))
    evening.lasts(8, state(tube=Health.LOST, peer=Health.LIVE))
    evening.lasts(120, state(tube=Health.LIVE, peer=Health.LIVE))
    evening.lasts(10, state("stopped", None, tube=Health.STOPPED, peer=Health.STOPPED))
    told = evening.told()
    assert told.aired == [Aired("peer", 1058.0, 0, 0.0, 0.0), Aired("tube", 1020.0, 2, 38.0, 30.0)]
    assert (told.recordings, told.recorded_s) == (1, 1063.0)


def test_a_stop_that_was_ordered_is_no_gap(evening: Evening) -> None:
    evening.lasts(60, state(tube=Health.LIVE))
    evening.lasts(1800, state("stopped", None, tube=Health.STOPPED))
    evening.lasts(60, state(recording="b.ts", tube=Health.LIVE))
    evening.lasts(1, state("stopped", None, tube=Health.STOPPED))
    (tube,) = evening.told().aired
    assert (tube.live_s, tube.gaps) == (120.0, 0)
    assert evening.told().recordings == 2


def test_a_kill_is_a_gap_and_costs_no_more_than_the_minute_before_it(evening: Evening) -> None:
    evening.lasts(200, state(tube=Health.LIVE))
    evening.killed(4)
    evening.lasts(3, state(tube=Health.WAITING))
    evening.lasts(100, state(tube=Health.LIVE))
    evening.lasts(1, state("stopped", None, tube=Health.STOPPED))
    (tube,) = evening.told().aired
    assert tube.gaps == 1 and 7 <= tube.missing_s <= 67 and tube.live_s + tube.missing_s == 307.0


def test_a_line_that_the_plug_cut_off_is_left_out(evening: Evening) -> None:
    evening.lasts(100, state(tube=Health.LIVE))
    with evening.path.open("ab") as file:
        file.write(b'{"at":"2026-11-24T18:0')
    assert len(read(evening.path)) == 2
    evening.killed(4)
    evening.lasts(1, state(tube=Health.CONNECTING))
    assert [line.off for line in read(evening.path)] == [(), (), ("tube",)], "and costs the next one nothing"


def test_a_quiet_day_writes_nothing_and_a_live_minute_one_line(evening: Evening) -> None:
    evening.lasts(3600, state("stopped", None, tube=Health.STOPPED))
    assert not evening.path.exists() and evening.told().is_nothing
    evening.lasts(3600, state(tube=Health.LIVE))
    assert 60 <= len(read(evening.path)) <= 61
    assert evening.path.stat().st_mode & 0o777 == 0o600


def test_where_programs_have_users_of_their_own_the_dashboard_may_read_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    evening = Evening(tmp_path / "stream-log.jsonl")
    evening.lasts(1, state(tube=Health.LIVE))
    assert evening.path.stat().st_mode & 0o777 == 0o640


def test_another_evening_is_left_out(evening: Evening) -> None:
    evening.lasts(100, state(tube=Health.LIVE))
    told = stream_report(read(evening.path), BEGIN + timedelta(days=1), BEGIN + timedelta(days=2))
    assert told.is_nothing


def test_a_full_disk_ends_no_stream(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "stream-log.jsonl").mkdir()
    evening = Evening(tmp_path / "stream-log.jsonl")
    evening.lasts(200, state(tube=Health.LIVE))
    assert caplog.text.count("event=not-kept") == 1
