"""What other processes say in English is told in the language of the page, and no sentence of theirs is forgotten.

The walk through their source sees sentences that are written in it: strings, f-strings, sums and choices of them. It
cannot see words that come from elsewhere (the system's own, as "Permission denied"; ffmpeg's, libcamera's, a parser's),
single words, and sentences that `.format`, `join` or `replace` make: those that a page may show are examples below.
"""

from __future__ import annotations

import errno
import os
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from told_sources import ROOT, VALUE, check_names, raised, sentences

from kiosk.dashboard.language import speaking
from kiosk.dashboard.told import known, sentence, told
from kiosk.tickets.sources import SOURCES
from stream.films import words as words_of_disk

# Modules whose sentences no page shows, and why.
NOT_SHOWN = {
    "stream/artist.py": "drawn on slates, which have their own languages",
    "stream/slate_words.py": "drawn on slates",
    "stream/lettering.py": "about fonts, for the log and the command line",
    "stream/look.py": "about the look of slates, for the log and the command line",
    "stream/look_files.py": "the same",
    "stream/slates.py": "the same",
    "stream/settings.py": "a configuration that is refused when a program starts",
    "kiosk/tickets/pretix/fake_server.py": "a stand-in's",
    "hardware/cameras/fake_picamera2.py": "a stand-in's",
    "hardware/panel/display.py": "written on the counter itself",
    "hardware/panel/settings.py": "a configuration",
    "hardware/scanners/settings.py": "a configuration",
    "hardware/pins.py": "a configuration",
    "kiosk/ledger/audit.py": "for platypus ledger check",
    "kiosk/ledger/report_forms.py": "for platypus event report",
    "kiosk/ledger/peek.py": "for platypus doctor",
    "kiosk/ledger/schema.py": "SQL",
    "kiosk/ledger/migrations/versions/*": "SQL",
    "kiosk/dashboard/access_file.py": "for the log: the page says that nobody can be let in",
    "kiosk/dashboard/certificate.py": "said when the dashboard cannot start",
    "kiosk/dashboard/front.py": "the same",
    "kiosk/dashboard/server.py": "the same",
    "kiosk/dashboard/settings.py": "a configuration",
    "kiosk/dashboard/api/*": "for programs, which are told in English",
}
# Texts that are no sentence for a person, or a piece of one whose whole is an example below.
_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'scans'"
NO_SENTENCES = {
    "kiosk/health.py": {"platypus §"},  # a command
    "kiosk/pretix/links.py": {"Link(§ § § §, device §)"},  # for who mends it
    "kiosk/pretix/sync.py": {"by hand", "by force §"},  # to pretix
    "kiosk/tickets/pretix/enrolment.py": {"Raspberry Pi"},  # to pretix
    "kiosk/tickets/pretix/server.py": {"Device §"},  # a header
    "stream/agenda_files.py": {"title §"},  # what tells two talks apart
    "stream/board_watch.py": {"Raspberry Pi"},  # looked for in the model's name
    "stream/camera_module.py": {"§ pictures left out: the encoder takes them too slowly"},  # to the log
    "stream/destination.py": {
        "connecting again: ",  # a piece
        *("Already publishing", "Server error:", "owner does not match", "Failed to resolve"),  # ffmpeg's
        *("Connection refused", "No route to host", "timed out", "RTMP handshake", "Connection reset"),
    },
    "stream/disk.py": {"File exists"},  # the system's
    "stream/film_note.py": {"Before the start", "Camera hidden"},  # chapters of a film
    "stream/lower_third.py": {"Noto Sans"},
    "stream/program.py": {"back to", "live again with", "§ §, nobody on stage"},  # pieces
    "stream/sources.py": {"Cannot find a proper format", "matches no streams"},  # ffmpeg's
    "hardware/cameras/address.py": {"(an address that cannot be read)"},  # a name
    "hardware/cameras/newest.py": {"camera §"},  # a thread
    "hardware/cameras/scripted.py": {"scripted camera"},  # a name
    "kiosk/ledger/database.py": {
        *("BEGIN IMMEDIATE", "PRAGMA §"),
        *(" Is the disk full, or the file not ours?", "the ledger § failed: §.§"),  # pieces
        *("PRAGMA wal_checkpoint(TRUNCATE)", "DROP TRIGGER §", _TRIGGERS),
    },
    "kiosk/ledger/migrations/__init__.py": {
        *("PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON", "PRAGMA foreign_key_check"),
        "SELECT version_num FROM alembic_version",
    },
    "kiosk/bus.py": {"commands §"},  # a thread
}
_OTHERS = (
    "stream",
    "hardware",
    "kiosk/door",
    "kiosk/ledger",
    "kiosk/bus.py",
    "kiosk/agenda_desk.py",
    "kiosk/news.py",
    "kiosk/health.py",
    "kiosk/pretix",
    "kiosk/tickets/pretix",
)
_BACKUPS = tuple(f"kiosk/backup/{name}.py" for name in ("archive", "manifest", "shelf", "snapshot", "writing"))
_LISTS = ("kiosk/ticket_lists.py", "kiosk/tickets/table.py", "kiosk/tickets/sheet.py")  # of tickets
_EXAMPLES = {
    "connecting again: the server does not answer": "nouvelle connexion : le serveur ne répond pas",
    "the camera's encoder ended: exit code 7": "l'encodeur de la caméra s'est arrêté : code de fin 7",
    "back to the camera": "retour à : la caméra",
    "back to the slate of the next talk: La loutre": "retour à : le carton de l'intervention suivante, La loutre",
    "back to the camera, nobody on stage": "retour à : la caméra, personne sur scène",
    "next is again: the camera": "la suivante est de nouveau : the camera",
    "the 12 talks before": "les 12 interventions d'avant",
    "the ledger /x/l.db failed: database is locked. Is the disk full, or the file not ours?": (
        "le registre /x/l.db est en panne : database is locked. Le disque est-il plein, ou le fichier n'est-il pas à "
        "nous ?"
    ),
    "The ledger cannot be read: the ledger /x failed: disk I/O error.": (
        "Le registre ne peut pas être lu : le registre /x est en panne : disk I/O error."
    ),
    "the key is accepted; the network carries about 2.1 Mb/s of 2.6": (
        "la clé est acceptée ; le réseau porte environ 2,1 Mb/s sur 2,6"
    ),
    "/a cannot be written (Permission denied); room for 3.1 hours of recording in the other folder": (
        "/a ne peut pas être écrit (Permission denied) ; de la place pour 3,1 heures d'enregistrement dans l'autre "
        "dossier"
    ),
    "/a cannot be written (No space left on device); /b cannot be written (Read-only file system)": (
        "/a ne peut pas être écrit (No space left on device) ; /b ne peut pas être écrit (Read-only file system)"
    ),
    "the microphone hw:1 gave nothing for 3 s: viewers hear silence until it is back": (
        "le micro hw:1 n'a rien donné pendant 3 s : le public n'entend rien jusqu'à son retour"
    ),
    "Check that the camera is on: the sound comes back by itself.": (
        "Vérifiez ceci : la caméra est allumée. Le son revient tout seul."
    ),
    "a.csv: nothing was taken, mend these first:\n  row 3: '25h' is not a time of day\n  talk 'x': it has no title": (
        "a.csv : rien n'a été pris, corrigez d'abord ceci :\n"
        "  ligne 3 : '25h' n'est pas une heure\n  intervention 'x' : elle n'a pas de titre"
    ),
    "Copy the key from the platform's page again: platypus stream destinations key hall": (
        "Recopiez la clé depuis la page de la plateforme : platypus stream destinations key hall"
    ),
    "camera /dev/video0 cannot be opened: no answer in time. Is it plugged in, held by another program, and is this "
    "user in the group video? See v4l2-ctl --list-devices.": (
        "camera /dev/video0 ne s'ouvre pas : pas de réponse à temps. Est-elle branchée, prise par un autre programme, "
        "et cet utilisateur est-il dans le groupe video ? Voyez v4l2-ctl --list-devices."
    ),
    "2026-01-01 cannot be: this event begins on 2026-11-24. Look at the phone's own clock, and whether this is "
    "tonight's event.": (
        "2026-01-01 n'est pas possible : cet événement commence le 2026-11-24. Regardez l'heure du téléphone, et si "
        "c'est bien l'événement de ce soir."
    ),
    "Somebody here is called Ada already. Add a letter or a second name.": (
        "Quelqu'un s'appelle déjà Ada ici. Ajoutez une lettre ou un second nom."
    ),
    "People: Zoë is logged out on Android phone BCD.": "Personnes : Zoë : déconnexion sur Téléphone Android BCD.",
    "Came in by a link: iPhone, as door": "Arrivée par un lien : iPhone, rôle : entrée",
}


def covers(text: str) -> bool:
    """Whether all words of a sentence are its form's, or those of a told value."""
    found = known(text)
    if found is None:
        return False
    return all(
        not re.search(r"[^\W\d_]{2,}", value.replace(VALUE, "")) or (name.startswith("said") and covers(value))
        for name, value in found[1].items()
    )


def modules(*places: str) -> list[Path]:
    found = [
        path for each in places for path in ([ROOT / each] if each.endswith(".py") else (ROOT / each).rglob("*.py"))
    ]
    return sorted(path for path in found if not any(fnmatch(str(path.relative_to(ROOT)), out) for out in NOT_SHOWN))


def untold(*places: str) -> list[str]:
    """Sentences that have no form, with where they stand."""
    headings = re.compile(r"^(?:[a-z]+ ){1,2}[a-z]+$")
    return [
        f"{path}:{line} {text!r}"
        for module in modules(*places)
        for path, line, text in [*sentences(module), *check_names(module)]
        if text not in NO_SENTENCES.get(path, set())
        and not (path == "stream/agenda_csv.py" and headings.match(text))
        and not covers(text)
    ]


def test_every_sentence_of_another_process_has_a_form() -> None:
    assert untold(*_OTHERS) == []


def test_what_is_doubtful_about_a_list_has_a_form() -> None:
    assert [source.name for source in SOURCES if source.doubt and known(source.doubt) is None] == []


def test_every_error_of_the_dashboard_of_a_list_and_of_a_backup_has_a_form() -> None:
    found = [
        f"{path}:{line} {text!r}"
        for module in [each for place in ("kiosk/dashboard", *_LISTS, *_BACKUPS) for each in modules(place)]
        for path, line, text in sentences(module, raised)
        if not covers(text.partition("\n")[0]) and "%(" not in text  # row after row, each with its form
    ]
    # A field of the form of a talk: three sentences, each with its form.
    assert [each for each in found if "'The § has § characters" not in each] == []
    assert all(
        covers(f"The {name} has {VALUE} characters, {VALUE} are the most.") for name in ("title", "speaker", "room")
    )


def test_the_walk_sees_a_sentence_that_nobody_has_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "strange.py"
    module.write_text(
        '"""A docstring is none."""\n'
        "def f(x):\n"
        '    log.warning("nor is a log")\n'
        '    say(f"the otter is {x} s late" if x else "no network to the server")\n'
        '    raise Error(f"{x} is" + (" a fish" if x else "") + ".") from None\n'
        '    return Check(f"of {x}", "ok", "the camera")\n'
    )
    monkeypatch.setattr("told_sources.ROOT", tmp_path)
    found = {text for _, _, text in sentences(module) if not covers(text)}
    assert found == {"the otter is § s late", "§ is a fish.", "§ is.", "of §"}
    assert [text for _, _, text in check_names(module)] == ["of §"]


def test_what_is_left_out_is_still_there() -> None:
    """A list of exceptions that nothing needs any more would hide the next sentence of that name."""
    for path, texts in NO_SENTENCES.items():
        there = {text for _, _, text in sentences(ROOT / path)}
        assert texts <= there, (path, texts - there)
    for pattern in NOT_SHOWN:
        assert any(ROOT.glob(pattern)), pattern


@pytest.mark.parametrize(("text", "french"), _EXAMPLES.items())
def test_a_sentence_is_told_with_its_values(text: str, french: str) -> None:
    with speaking("fr"):
        assert told(text).replace("\N{NO-BREAK SPACE}", " ") == french
    with speaking("en"):
        assert told(text) == text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_what_is_wrong_with_a_disk_is_told_whatever_the_system_calls_it(number: int) -> None:
    cause = words_of_disk(OSError(number, os.strerror(number)))
    with speaking("fr"):
        said = sentence(f"{cause}: the recording goes on in /spare")
        assert said.startswith("Le disque ") and said.endswith("l'enregistrement continue dans /spare.")


@pytest.mark.parametrize("text", ["", "Owncast", "ENOSPC", "Kein Ton", "the otter swam away; nobody saw it"])
def test_what_has_no_form_is_shown_as_it_came(text: str) -> None:
    with speaking("fr"):
        assert told(text) == text


def test_a_sentence_keeps_its_capital_and_gets_its_full_stop() -> None:
    with speaking("fr"):
        assert sentence("no network to the server") == "Pas de réseau jusqu'au serveur."
        assert sentence("Is it on?") == "Is it on?"
        assert sentence("") == ""
