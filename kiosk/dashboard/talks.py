"""The page of the talks: the agenda in its order, who is on stage and who is next, each moved by one press.

Every change is made from the agenda that the page showed; when that is another one by now nothing is changed, and it is
said. The stream process keeps the agenda; while it is away the page is for reading only. Works without scripts; with
them (talks.js) the same pages are fetched and put in place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

import flask
import msgspec

from hardware.errors import PlatypusError
from kiosk.dashboard import talk_form, talks_view
from kiosk.dashboard.language import Later, _, day_and_time, later, ngettext
from kiosk.dashboard.live import Live
from kiosk.dashboard.noting import note
from kiosk.dashboard.ports import News
from kiosk.dashboard.talk_changes import TalkChanges
from kiosk.dashboard.talk_form import TalkForm
from kiosk.dashboard.talks_view import TalksSaid, Undo
from kiosk.dashboard.told import told
from kiosk.dashboard.uploads import LARGEST_BYTES, PATHS, uploaded
from kiosk.dashboard.views import clock_time
from stream.agenda import Agenda, AgendaChanged, AgendaError, Talk, UnknownTalk
from stream.agenda_files import parse_agenda

log = logging.getLogger(__name__)

_UPLOAD = "talks_upload"
_ABSENT = "No file was chosen, or it is empty: choose a schedule.json, an .ics or a .csv."
_TOO_LARGE = (
    f"The file has more than {LARGEST_BYTES // 1_000_000} MB. Is it the right one? The Pi itself takes larger "
    "ones: platypus agenda import FILE"
)


class _Done(NamedTuple):
    """What a press did."""

    title: Later
    detail: str = ""
    undo: Undo = ""  # which undo takes it back

    @property
    def said(self) -> TalksSaid:
        return TalksSaid(tone="yes", title=str(self.title), detail=self.detail, undo=self.undo)


def add_talks(app: flask.Flask, live: Live, news: News, zone: ZoneInfo) -> None:
    """Routes of the page; times on it are told in `zone`."""
    changes = TalkChanges(news)
    presses = _Presses(changes)

    def page(said: TalksSaid | None, code: int = 200) -> flask.typing.ResponseReturnValue:
        now = live.now()
        view = talks_view.compose(news.latest(), now.at, zone)
        return flask.render_template(
            "talks.html",
            talks=view,
            view=now.home,
            said=said,
            as_of=clock_time(now.at, zone),
            most_bytes=LARGEST_BYTES,
        ), code

    @app.get("/talks")
    def talks() -> flask.typing.ResponseReturnValue:
        said = None
        if "part" not in flask.request.args:  # fetched beside a press, which must not lose its answer
            said = msgspec.convert(flask.session.pop("talks_said", None), TalksSaid | None)
        return page(said)

    def press(path: str, act: Callable[[], _Done]) -> None:
        """A button: `act`, say what came of it, and show the page again with that done."""

        def pressed() -> flask.typing.ResponseReturnValue:
            said = _tried(path, act)
            said = msgspec.structs.replace(said, detail=said.detail[:500])  # a cookie has 4 kB
            flask.session["talks_said"] = msgspec.to_builtins(said)
            return flask.redirect(flask.url_for("talks"), 303)

        app.post(f"/talks/{path}", endpoint=f"talks_{path}")(pressed)

    press("stage", presses.stage)
    press("next", presses.next)
    press("up", lambda: presses.move(up=True))
    press("down", lambda: presses.move(up=False))
    press("remove", presses.remove)
    press("undo", presses.undo)
    press("undo-stage", presses.undo_stage)

    @app.post(PATHS[_UPLOAD], endpoint=_UPLOAD)
    def upload() -> flask.typing.ResponseReturnValue:
        said = _tried("upload", lambda: presses.upload(zone))
        if said.tone == "no":  # shown at once: a list of what is wrong is too long for a cookie
            return page(said, 422)
        flask.session["talks_said"] = msgspec.to_builtins(said)
        return flask.redirect(flask.url_for("talks"), 303)

    def form(fields: TalkForm, talk_id: str, trouble: str, code: int) -> flask.typing.ResponseReturnValue:
        known = news.latest().agenda
        return flask.render_template(
            "talk.html",
            form=fields,
            talk_id=talk_id,
            trouble=trouble,
            revision=known.revision if known else "",
            longest=talk_form.LONGEST,
        ), code

    @app.get("/talks/add")
    def add_talk() -> flask.typing.ResponseReturnValue:
        known = news.latest().agenda
        return form(talk_form.begun(known.agenda if known else Agenda(), zone), "", "", 200)

    @app.get("/talks/edit/<talk_id>")
    def edit_talk(talk_id: str) -> flask.typing.ResponseReturnValue:
        talk = changes.find(talk_id)
        return form(talk_form.filled(talk, zone), talk_id, "", 200)

    def save(talk_id: str) -> flask.typing.ResponseReturnValue:
        typed = talk_form.form_of(flask.request.form)
        try:
            done = presses.save(typed, talk_id, zone)
        except AgendaChanged as error:
            note(str(error), refused=True)
            trouble = _("The agenda was changed meanwhile. Below is what you typed: press again to keep it.")
            return form(typed, talk_id, trouble, 409)
        except (PlatypusError, OSError) as error:
            log.warning("talks do=save outcome=failed cause=%s", type(error).__name__)
            note(str(error), refused=True)
            return form(typed, talk_id, told(str(error)), 422)
        note(done.title.source)
        flask.session["talks_said"] = msgspec.to_builtins(done.said)
        return flask.redirect(flask.url_for("talks"), 303)

    app.post("/talks/add", endpoint="talks_add")(lambda: save(""))
    app.post("/talks/edit/<talk_id>", endpoint="talks_edit")(save)

    @app.errorhandler(UnknownTalk)
    def unknown(error: UnknownTalk) -> flask.typing.ResponseReturnValue:
        return flask.render_template("error.html", title=_("This talk is gone"), text=told(str(error))), 404


class _Presses:
    """From the fields of a form to a change, and to the words that answer it."""

    def __init__(self, changes: TalkChanges) -> None:
        self._changes = changes

    def stage(self) -> _Done:
        title = self._changes.stage(_field("talk"))
        return _Done(title, _("Viewers go on seeing what they saw."), "stage")

    def next(self) -> _Done:
        title = self._changes.next(_field("talk"))
        return _Done(title, _("After it, the agenda goes on where it was."), "stage")

    def undo_stage(self) -> _Done:
        return _Done(self._changes.undo_stage())

    def move(self, *, up: bool) -> _Done:
        return _Done(self._changes.move(_field("talk"), _field("revision"), up=up), undo="agenda")

    def remove(self) -> _Done:
        return _Done(self._changes.remove(_field("talk"), _field("revision")), undo="agenda")

    def undo(self) -> _Done:
        return _Done(self._changes.undo(_field("revision")), undo="agenda")

    def save(self, typed: TalkForm, talk_id: str, zone: ZoneInfo) -> _Done:
        """Raises AgendaChanged, AgendaError and what the bus raises."""

        def put_in(talk: Talk) -> Talk:
            return typed.put_in(talk, zone)

        if talk_id:
            title = self._changes.edit(talk_id, put_in, _field("revision"))
        else:
            title = self._changes.add(put_in, _field("revision"))
        return _Done(title, undo="agenda")

    def upload(self, zone: ZoneInfo) -> _Done:
        """The file of the form, in place of all there was. Raises AgendaFileError with all that is wrong with it."""
        known = self._changes.seen(_field("revision"))
        file = uploaded(_ABSENT, _TOO_LARGE)
        room = flask.request.form.get("room", "").strip()[:200] or None
        agenda = parse_agenda(file.name, file.raw, zone, room=room, day=_day(flask.request.form.get("day", "")))
        self._changes.replace(agenda, known)
        count, old = len(agenda.talks), len(known.agenda.talks)
        if count == 1:
            title = later("1 talk from %(file)s", file=file.name)
        else:
            title = later("%(count)s talks from %(file)s", count=count, file=file.name)
        about = ", ".join((agenda.event[:80] or _("Talks"), _when(agenda, zone))) + "."
        instead = ngettext("In place of the one there was.", "In place of the %(num)s there were.", old) if old else ""
        return _Done(title, f"{about} {instead}".strip(), "agenda")


def _tried(path: str, act: Callable[[], _Done]) -> TalksSaid:
    try:
        done = act()
    except (PlatypusError, OSError) as error:
        log.warning("talks do=%s outcome=failed cause=%s", path, type(error).__name__)
        title = _("Nothing was taken") if path == "upload" else _("Not done")
        note(str(error), refused=True)
        return TalksSaid(tone="no", title=title, detail=told(str(error)))
    log.info("talks do=%s outcome=ok", path)
    note(done.title.source)
    return done.said


def _when(agenda: Agenda, zone: ZoneInfo) -> str:
    """From when to when its talks are."""
    times = sorted(talk.starts_at.astimezone(zone) for talk in agenda.talks if talk.starts_at)
    if not times:
        return _("without times")
    begins, ends = day_and_time(times[0], "EEEE d MMMM, HH:mm"), times[-1]
    if ends == times[0]:
        return begins
    pattern = "HH:mm" if ends.date() == times[0].date() else "EEEE, HH:mm"
    return _("%(begins)s to %(ends)s", begins=begins, ends=day_and_time(ends, pattern))


def _field(name: str) -> str:
    return flask.request.form.get(name, "")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise AgendaError(f"The day {text[:20]!r} is not a date such as 2026-11-24.") from None
