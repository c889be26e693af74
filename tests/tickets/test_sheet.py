"""Lists of people, from whatever wrote them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.tickets.sheet import MAX_BYTES, Sheet, TicketFileError, sheet_of
from kiosk.tickets.status import Status
from kiosk.tickets.table import read_table


def read_sheet(path: Path, *, needs_code: bool, columns: dict[str, str] | None = None) -> Sheet:
    return sheet_of(read_table(path), columns=columns, needs_code=needs_code)


def listing(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "encoding", "separator"),
    [
        ("Name,Code\nZoë Müller,A1\n".encode(), "utf-8-sig", ","),
        ("Name,Code\nZoë Müller,A1\n".encode("utf-8-sig"), "utf-8-sig", ","),
        ("Name;Code\r\nZoë Müller;A1\r\n".encode("latin-1"), "cp1252", ";"),
        ("Name\tCode\nZoë Müller\tA1\n".encode("utf-16"), "utf-16", "\t"),
        ('"Name"|"Code"\n"Zoë Müller"|"A1"\n'.encode(), "utf-8-sig", "|"),
    ],
    ids=["utf-8", "bom", "latin-1 and semicolons", "utf-16 and tabs", "quoted and bars"],
)
def test_encoding_and_separator_are_found_out(tmp_path: Path, content: bytes, encoding: str, separator: str) -> None:
    sheet = read_sheet(listing(tmp_path, content), needs_code=True)
    assert [(row.holder, row.code) for row in sheet.rows] == [("Zoë Müller", "A1")]
    assert (sheet.encoding, sheet.separator) == (encoding, separator)


@pytest.mark.parametrize(
    ("headings", "row", "holder"),
    [
        ("Prénom,Nom,Codes-barres", "Émile,Baudot,1234567", "Émile Baudot"),  # Billetweb
        ("Order code,Attendee name,E-mail,Secret", "X,Ada,ada@example.org,k5", "Ada"),  # pretix
        ("First Name,Last Name,Public ID", "Ada,Lovelace,A-123", "Ada Lovelace"),  # Hi.Events
        ("First name,Name,Code", "Ada,Lovelace,A-123", "Ada Lovelace"),
        ("Prénom participant,Nom du participant,Code", "Ada,Lovelace,A-123", "Ada Lovelace"),
    ],
)
def test_headings_of_other_systems_are_known(tmp_path: Path, headings: str, row: str, holder: str) -> None:
    sheet = read_sheet(listing(tmp_path, f"{headings}\n{row}\n"), needs_code=True)
    assert sheet.rows[0].holder == holder and sheet.rows[0].code


def test_the_columns_that_were_guessed_can_be_said(tmp_path: Path) -> None:
    sheet = read_sheet(listing(tmp_path, "Nom complet;Codes-barres\nAda;A1\n"), needs_code=True)
    assert sheet.columns == {"code": "Codes-barres", "holder": "Nom complet"}


def test_the_code_column_can_be_named(tmp_path: Path) -> None:
    path = listing(tmp_path, "Name,Wristband,Code\nAda,W1,\n")
    assert read_sheet(path, columns={"code": "Wristband"}, needs_code=True).rows[0].code == "W1"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Name,Seat\nAda,4\n", "no column that looks like a ticket code; it has: Name, Seat"),
        ("Name,Code\nAda,A1\nBob,A1\n", "row 3: the same code as row 2"),
        ("Name,Code\nAda,\n", "row 2: no code"),
        ("Name,Code\nAda,\x01\n", "row 2: no code"),
        ("Codes-barres\n123456\n", "row 2: 123456 has 6 digits, not Billetweb's 7 or 12"),
        ("Name,Code\nAda,#N/A\n", "row 2: a formula (#N/A)"),
        ("Name,Code\nAda,=B2\n", "row 2: a formula (=B2)"),
        (f"Name,Code\n{'A' * 300},A1\n", "row 2: 300 characters for holder, 200 are the most"),
        (f"Name,Code,Guests\nAda,A1,{'9' * 5000}\n", "row 2: 5000 characters for guests"),
        ("Name,Code\nÉmile,A1\nZoë,A2\n".encode() + b"\xe9,A3\n", "broken letters, the first in line 4"),
        ("Name,Code\nAda\n", "row 2: 1 cells where the headings have 2"),
        ("Name,Code,Status\nAda,A1,maybe\n", "row 2: status 'maybe' is not known"),
        ("Name,Code,Valid from\nAda,A1,tomorrow\n", "'tomorrow' is not a time"),
        ("Name,Code,Valid from\nAda,A1,2026-11-24T18:00\n", "has no time zone"),
        ("Name,Code\n", "headings but no rows"),
        ("", "empty"),
        ('Name,Code\n"Ada,A1\n', "not a CSV list"),
        ("Name,Code,Code\nAda,A1,A2\n", "two columns named 'Code'"),
        ("Name,Code\nAda,A1\nBob\nCy,A1\n", "row 3: 1 cells where the headings have 2\n  row 4: the same code"),
        (b"PK\x03\x04" + b"\0" * 40, "not a spreadsheet that can be read"),
    ],
)
def test_a_bad_list_is_explained_and_nothing_is_taken(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(TicketFileError, match="list.csv") as refused:
        read_sheet(listing(tmp_path, content), needs_code=True)
    assert says in str(refused.value)


def test_every_bad_row_is_named_up_to_a_sensible_number(tmp_path: Path) -> None:
    rows = "".join(f"Ada,A{n},maybe\n" for n in range(50))
    with pytest.raises(TicketFileError, match="and 30 more"):
        read_sheet(listing(tmp_path, f"Name,Code,Status\n{rows}"), needs_code=True)


def test_a_missing_file_and_a_huge_one_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(TicketFileError, match="No such file"):
        read_sheet(tmp_path / "absent.csv", needs_code=True)
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(TicketFileError, match="Is it right"):
        read_sheet(tmp_path / "huge.csv", needs_code=True)


def test_a_name_steers_no_terminal(tmp_path: Path) -> None:
    sheet = read_sheet(listing(tmp_path, "Name,Code\n\x1b]0;x\x07A\u202eda,A1\n"), needs_code=True)
    assert sheet.rows[0].holder == "]0;xAda"


def test_diets_of_pretix_are_its_comments(tmp_path: Path) -> None:
    listed = "Order code,Attendee name,Secret,Comment,Requires special attention\nX,Ada,k5,vegan,No\n"
    assert read_sheet(listing(tmp_path, listed), needs_code=True).rows[0].note == "vegan"


def test_german_headings_of_pretix_are_known(tmp_path: Path) -> None:
    listed = "Bestellnummer;Teilnehmername;Produkt;Bezahlt;Ticket-Code\nX;Ada;Sitz;Nein;k5\n"
    row = read_sheet(listing(tmp_path, listed), needs_code=True).rows[0]
    assert (row.holder, row.status, row.code, row.product) == ("Ada", Status.UNPAID, "k5", "Sitz")


def test_a_code_is_taken_letter_by_letter(tmp_path: Path) -> None:
    sheet = read_sheet(listing(tmp_path, "Name,Code\nAda, A  1 \n"), needs_code=True)
    assert sheet.rows[0].code == "A  1"


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    for path in (Path("/dev/zero"), tmp_path):
        with pytest.raises(TicketFileError, match="not a file"):
            read_sheet(path, needs_code=True)


def test_status_words_and_times_are_understood(tmp_path: Path) -> None:
    path = listing(
        tmp_path, "Name,Code,Statut,Valid until\nAda,A1,Annulé,2026-11-24T20:00+01:00\nBob,A2,Payé,\nCy,A3,PENDING,\n"
    )
    rows = read_sheet(path, needs_code=True).rows
    assert [row.status for row in rows] == [Status.CANCELED, Status.PAID, Status.UNPAID]
    assert rows[0].valid_until == datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


def test_people_need_names_only(tmp_path: Path) -> None:
    sheet = read_sheet(listing(tmp_path, "nom,mail\nAda,ada@example.org\n\n"), needs_code=False)
    assert [(row.holder, row.email, row.code) for row in sheet.rows] == [("Ada", "ada@example.org", None)]
    with pytest.raises(TicketFileError, match="no column with names"):
        read_sheet(listing(tmp_path, "mail\nada@example.org\n"), needs_code=False)


def test_the_language_of_a_person_is_known_where_tickets_speak_it(tmp_path: Path) -> None:
    words = ("fr", "Français", "fr-FR", "English (UK)", "EN", "de", "")
    rows = "".join(f"P{at},{word}\n" for at, word in enumerate(words))
    sheet = read_sheet(listing(tmp_path, f"Name,Langue\n{rows}"), needs_code=False)
    assert [row.language for row in sheet.rows] == ["fr", "fr", "fr", "en", "en", None, None]
    assert "language" in sheet.fields
