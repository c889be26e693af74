"""Agendas from files: what other programs write is understood, what cannot be is explained in words."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.agenda import Agenda
from stream.agenda_files import MAX_BYTES, AgendaFileError, parse_agenda, read_agenda

PARIS = ZoneInfo("Europe/Paris")
DAY = date(2026, 11, 24)
SEVEN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


def taken(content: str | bytes | dict[str, Any], **options: Any) -> Agenda:
    if isinstance(content, dict):
        content = json.dumps(content)
    raw = content.encode() if isinstance(content, str) else content
    return parse_agenda("agenda", raw, PARIS, **({"day": DAY} | options))


def schedule(*talks: dict[str, Any], **more: Any) -> dict[str, Any]:
    rooms = more.pop("rooms", {"Hall": list(talks)})
    days = [{"index": 1, "date": "2026-11-24", "rooms": rooms}]
    return {"schedule": {"version": "1", "conference": {"title": "Talks", "days": days, **more}}}


PRETALX = {
    "guid": "3f0a7c1e-0000-5000-8000-000000000001",
    "code": "ABCDEF",
    "id": 17,
    "date": "2026-11-24T19:00:00+01:00",
    "start": "19:00",
    "duration": "00:25",
    "title": "Łukasz's talk",
    "persons": [{"public_name": "Łukasz Żak", "name": "Łukasz Żak"}, {"public_name": "Ada O'Brien"}],
    "do_not_record": True,
}
FRAB = {
    "id": 4711,
    "start": "20:00",
    "duration": "00:30",
    "title": "Older",
    "persons": [{"id": 1, "full_public_name": "Grace"}],
}


def test_what_pretalx_exports_is_understood() -> None:
    agenda = taken(schedule(PRETALX))
    talk = agenda.talks[0]
    assert agenda.event == "Talks"
    assert (talk.title, talk.speaker, talk.room) == ("Łukasz's talk", "Łukasz Żak, Ada O'Brien", "Hall")
    assert (talk.id, talk.starts_at, talk.minutes, talk.do_not_record) == (PRETALX["guid"], SEVEN, 25, True)


def test_what_frab_exported_is_understood() -> None:
    talk = taken(schedule(FRAB)).talks[0]
    assert (talk.id, talk.speaker, talk.minutes) == ("4711", "Grace", 30)
    assert talk.starts_at == datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


def test_a_time_without_a_zone_is_the_conference_s() -> None:
    talk = taken(schedule(FRAB, time_zone_name="Asia/Tokyo")).talks[0]
    assert talk.starts_at == datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    for unknown in ("Nowhere/Land", "../etc", "Europe", ""):
        assert taken(schedule(FRAB, time_zone_name=unknown)).talks[0].starts_at == datetime(
            2026, 11, 24, 19, tzinfo=UTC
        )


def test_talks_stand_by_time_whatever_the_room_s_order() -> None:
    assert [talk.title for talk in taken(schedule(FRAB, PRETALX)).talks] == ["Łukasz's talk", "Older"]


def test_of_several_rooms_one_is_chosen_and_without_a_choice_they_are_named() -> None:
    two = schedule(rooms={"Hall": [PRETALX], "Attic": [FRAB]})
    with pytest.raises(AgendaFileError, match="2 rooms.*'Hall', 'Attic'"):
        taken(two)
    assert [talk.title for talk in taken(two, room="attic").talks] == ["Older"]
    with pytest.raises(AgendaFileError, match="no room 'Cellar'; it has 'Hall', 'Attic'"):
        taken(two, room="Cellar")


def calendar(*lines: str, prodid: str = "-//x//", more: str = "") -> str:
    events = "".join(f"BEGIN:VEVENT\r\n{each}\r\nEND:VEVENT\r\n" for each in lines)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{prodid}\r\nX-WR-CALNAME:Talks\r\n{more}{events}END:VCALENDAR\r\n"


ONE = "UID:one@example.org\r\nSUMMARY:Café\\, and more\r\nDTSTART;TZID=Europe/Paris:20261124T190000\r\n"
CUSTOM_ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Ours\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\n"
    "TZOFFSETTO:+0430\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


@pytest.mark.parametrize(
    ("start", "hour_utc"),
    [
        (";TZID=Europe/Paris:20261124T190000", 18.0),
        (":20261124T180000Z", 18.0),
        (":20261124T190000", 18.0),  # nobody's zone: the venue's
        (";TZID=Romance Standard Time:20261124T190000", 18.0),  # Outlook
        (";TZID=America/New_York:20261124T130000", 18.0),
        (";TZID=Ours:20261124T190000", 14.5),
    ],
)
def test_a_calendar_s_time_zones_are_believed(start: str, hour_utc: float) -> None:
    talk = taken(calendar(f"SUMMARY:x\r\nDTSTART{start}", more=CUSTOM_ZONE)).talks[0]
    assert talk.starts_at is not None
    assert talk.starts_at.astimezone(UTC).hour + talk.starts_at.astimezone(UTC).minute / 60 == hour_utc


def test_a_calendar_s_event_is_a_talk() -> None:
    agenda = taken(calendar(ONE + "DURATION:PT45M\r\nLOCATION:Hall\r\nORGANIZER;CN=Ada:mailto:a@example.org"))
    talk = agenda.talks[0]
    assert (agenda.event, talk.title, talk.speaker, talk.minutes, talk.room) == (
        "Talks",
        "Café, and more",
        "Ada",
        45,
        "Hall",
    )
    ended = taken(calendar(ONE + "DTEND:20261124T182000Z")).talks[0]
    assert (ended.id, ended.minutes) == (talk.id, 20)


GUEST = "ATTENDEE;CN={}:mailto:x@example.org"


@pytest.mark.parametrize(
    ("lines", "speaker"),
    [
        ("DESCRIPTION:Hello\\nSpeaker: Grace Hopper\\nMore\r\nORGANIZER;CN=Club:mailto:a@b.c", "Grace Hopper"),
        ("DESCRIPTION:Intervenante : Zoë", "Zoë"),
        (GUEST.format("Ada") + "\r\n" + GUEST.format('"Hopper, Grace"'), "Ada, Hopper, Grace"),
        ("ATTENDEE;ROLE=CHAIR;CN=Ada:mailto:a@b.c\r\n" + GUEST.format("Guest"), "Ada"),
        ("\r\n".join(GUEST.format(f"Guest {n}") for n in range(9)) + "\r\nORGANIZER;CN=Ada:mailto:a@b.c", "Ada"),
        (GUEST.format("ada@example.org"), ""),  # an address is not put on a slate
        ("ORGANIZER:mailto:ada@example.org", ""),
    ],
)
def test_who_speaks_is_found_and_the_audience_is_not(lines: str, speaker: str) -> None:
    assert taken(calendar(ONE + lines)).talks[0].speaker == speaker


def test_pretalx_calendars_have_the_speaker_behind_the_title() -> None:
    made = calendar(
        "UID:pretalx-x-ABC@example.org\r\nSUMMARY:State - of the art - Ada\r\nDTSTART:20261124T180000Z",
        prodid="-//pretalx//example.org//x",
    )
    assert (taken(made).talks[0].title, taken(made).talks[0].speaker) == ("State - of the art", "Ada")


def test_a_cancelled_event_is_no_talk() -> None:
    agenda = taken(calendar(ONE, "UID:two\r\nSUMMARY:Gone\r\nDTSTART:20261124T180000Z\r\nSTATUS:CANCELLED"))
    assert [talk.title for talk in agenda.talks] == ["Café, and more"]


@pytest.mark.parametrize(
    ("headings", "row"),
    [
        ("title,speaker,start,duration", "A talk,Ada,19:00,20"),
        ("Titre;Intervenante;Début;Durée", "A talk;Ada;19h00;20 min"),
        ("Heure\tSujet\tOrateur\tFin", "19 h\tA talk\tAda\t19h20"),
        ("Title|Speakers|Date|Time|Duration", "A talk|Ada|24/11/2026|7 pm|0:20"),
        ("Session Id,Title,Room,Scheduled At,Scheduled Duration,Speakers", "9,A talk,,2026-11-24 19:00,20,Ada"),
        ("Titre,Nom,Début,Minutes", "A talk,Ada,2026-11-24T18:00Z,00:20:00"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_lists_of_any_spreadsheet_are_understood(headings: str, row: str, encoding: str) -> None:
    talk = taken(f"{headings}\r\n{row}\r\n".encode(encoding)).talks[0]
    assert (talk.title, talk.speaker, talk.starts_at, talk.minutes) == ("A talk", "Ada", SEVEN, 20)


def test_a_list_keeps_its_order_and_needs_titles_only() -> None:
    agenda = taken("titre\nZ\n\nA\n")
    assert [talk.title for talk in agenda.talks] == ["Z", "A"]
    assert agenda.talks[0].starts_at is None


def test_a_talk_over_midnight_has_its_length() -> None:
    assert taken("title,start,end\nLate,23:30,00:15\n").talks[0].minutes == 45


def test_an_edited_list_keeps_the_ids_of_its_talks() -> None:
    before = taken("title,speaker,start\nDéjà vu!,Ada,19:00\nPause,,19:30\nPause,,20:00\n")
    after = taken("start,title,speaker\n18:00,New,Bob\n19:40,Deja vu,Ada B.\n19:30,Pause,\n20:10,Pause,\n")
    assert [talk.id for talk in after.talks][1:] == [talk.id for talk in before.talks]
    assert len({talk.id for talk in after.talks}) == 4


@pytest.mark.parametrize("make", [lambda: schedule(PRETALX, FRAB), lambda: calendar(ONE)])
def test_the_same_file_gives_the_same_ids(make: Any) -> None:
    assert taken(make()) == taken(make())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"schedule": {}}, r"only a part of one. Export it again.*`conference`"),
        ('{"schedule": ', "not a schedule.json"),
        ("[]", "not a schedule.json"),
        (schedule(), "no talks"),
        (schedule(PRETALX | {"duration": "long"}), "talk \"Łukasz's talk\" in 'Hall': 'long' is not a duration"),
        (schedule(PRETALX | {"date": "2026-11-24Tnoon"}), "is not a time such as"),
        (schedule(PRETALX | {"title": " "}), "it has no title"),
        (schedule(PRETALX | {"title": "x" * 501}), "501 characters"),
        (schedule(PRETALX, PRETALX), "another talk has its id"),
        (calendar(ONE + "RRULE:FREQ=DAILY;COUNT=9"), r"event 1 \('Café, and more'\): it repeats"),
        (calendar("SUMMARY:x\r\nDTSTART;VALUE=DATE:20261124"), "no time of day"),
        (calendar("SUMMARY:x"), "it has no start"),
        (calendar("SUMMARY:x\r\nDTSTART;TZID=Nowhere/Land:20261124T190000"), "time zone 'Nowhere/Land' is not known"),
        (calendar(ONE + "DTEND:garbage"), "its DTEND 'garbage' has no time of day that can be read"),
        (calendar(ONE + "DTEND:20261124T170000Z"), "lasts -60 minutes"),
        (calendar("DTSTART:20261124T180000Z"), "it has no title"),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "agenda is not a calendar|no talks"),
        ("Speaker,Start\nAda,19:00\n", "no column of titles .* it has: Speaker, Start"),
        ("title,start\nA,soon\n", "row 2: 'soon' is not a time such as 19:00"),
        ("title,start\nA,25:00\n", "row 2: '25:00' is not a time of day"),
        ("title,date,start\nA,11/24/2026,19:00\n", "row 2: '11/24/2026' is not a date .*day first"),
        ("title,start\nA,2026-11-24\n", "write it as 2026-11-24 19:00"),
        ("title,duration\nA,ages\n", "row 2: 'ages' is not a duration"),
        ("title,duration\nA,0\n", "lasts 0 minutes"),
        ("title,start\nA\n", "row 2: 1 cells where the headings have 2"),
        ("title,Title\nA,B\n", "two columns named 'title'"),
        ("title,id\nA,1\nB,1\n", "another talk has its id '1' too"),
        ('title\n"A\n', "not a CSV list"),
        ("title\n", "no talks"),
        ("", "empty"),
        (b"PK\x03\x04" + b"\0" * 40, "exported as CSV"),
    ],
)
def test_a_bad_file_is_explained(content: Any, says: str) -> None:
    with pytest.raises(AgendaFileError, match=says) as refused:
        taken(content)
    assert str(refused.value).startswith("agenda")


def test_a_time_without_a_date_needs_the_event_s() -> None:
    with pytest.raises(AgendaFileError, match="row 2: '19:00' has no date: give the day of the event .--day, or "):
        taken("title,start\nA,19:00\n", day=None)


def test_every_bad_row_is_named_up_to_a_sensible_number() -> None:
    with pytest.raises(AgendaFileError, match="row 21: .*\n  and 30 more"):
        taken("title,start\n" + "A,soon\n" * 50)


def test_files_that_are_missing_huge_or_none_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(AgendaFileError, match="No such file"):
        read_agenda(tmp_path / "absent.json", PARIS)
    for none in (tmp_path, Path("/dev/zero")):
        with pytest.raises(AgendaFileError, match="not a file"):
            read_agenda(none, PARIS)
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(AgendaFileError, match="Is it right"):
        read_agenda(tmp_path / "huge.csv", PARIS)


SEEDS = [json.dumps(schedule(PRETALX, FRAB)).encode(), calendar(ONE, ONE + "DTEND:20261124T190000Z").encode()]
SEEDS += [b"title,speaker,start,end,id\nA,Ada,19:00,20:00,1\nB,,2026-11-24T20:00,,2\n"]


@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 30), st.binary(max_size=12)), max_size=4),
)
def test_a_damaged_file_is_an_agenda_or_our_error(seed: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    for at, length, fresh in edits:
        seed = seed[:at] + fresh + seed[at + length :]
    only_our_error(seed)


@given(
    start=st.sampled_from([b"", b"{", b"[", b"BEGIN:VCALENDAR\r\n", b"title,start\n", b"\xff\xfe", b"\xef\xbb\xbf"]),
    rest=st.binary(max_size=300),
)
def test_arbitrary_bytes_are_an_agenda_or_our_error(start: bytes, rest: bytes) -> None:
    only_our_error(start + rest)


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"a":' * 100_000, b"BEGIN:VCALENDAR\r\n" * 20_000])
def test_a_file_made_to_go_deep_is_refused(content: bytes) -> None:
    with pytest.raises(AgendaFileError):
        taken(content)


@given(
    value=st.recursive(st.none() | st.integers() | st.text(max_size=9), lambda x: st.lists(x, max_size=2), max_leaves=3)
)
def test_a_field_of_another_kind_is_our_error(value: Any) -> None:
    for field in PRETALX:
        only_our_error(json.dumps(schedule(PRETALX | {field: value})).encode())


def only_our_error(raw: bytes) -> None:
    with contextlib.suppress(AgendaFileError):
        assert parse_agenda("agenda", raw, PARIS, day=DAY).talks
