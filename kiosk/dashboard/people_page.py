"""The organizers' page of people: who may come in, on which phones they are, and invitations."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import flask

from kiosk.dashboard import people_words, qr
from kiosk.dashboard.access import Access
from kiosk.dashboard.access_errors import AccessError, AccessFileError
from kiosk.dashboard.access_file import ROLES, Role
from kiosk.dashboard.address import base_url_for_phones
from kiosk.dashboard.gatekeeper import visitor
from kiosk.dashboard.language import Later, later
from kiosk.dashboard.noting import note
from kiosk.dashboard.people import LONGEST_NAME
from kiosk.dashboard.settings import DashboardSettings
from kiosk.dashboard.tokens_page import token_lines
from kiosk.dashboard.told import told


def add_people(app: flask.Flask, access: Access, settings: DashboardSettings) -> None:
    """Routes of the page."""
    zone = settings.zone

    @app.get("/people")
    def people() -> flask.typing.ResponseReturnValue:
        everybody = access.people.all()
        names = {each.id: each.name for each in everybody}
        return flask.render_template(
            "people.html",
            people=_people(access, zone),
            links=[
                people_words.link(each, access.invitations.left_s(each), names) for each in access.invitations.open()
            ],
            tokens=token_lines(access, names, zone),
            longest_name=LONGEST_NAME,
            roles=[(each, people_words.role(each), people_words.role_may(each)) for each in ROLES],
        )

    def press(path: str, act: Callable[[], Later]) -> None:
        """A button: `act`, say what came of it, and show the page again with that done."""

        def pressed() -> flask.typing.ResponseReturnValue:
            try:
                said = act()
            except AccessFileError:
                raise
            except AccessError as error:
                note(str(error), refused=True)
                flask.flash(told(str(error)), "no")
            else:
                note(said.source)
                flask.flash(str(said), "yes")
            return flask.redirect(flask.url_for("people"), 303)

        app.post(f"/people/{path}", endpoint=f"people_{path.replace('-', '_')}")(pressed)

    def withdraw() -> Later:
        link = access.invitations.withdraw(_field("link"))
        return later("An invitation for %(said_role)s is withdrawn.", said_role=people_words.role_later(link.role))

    def change_role() -> Later:
        person = access.people.set_role(_field("person"), _role())
        role = people_words.role_later(person.role)
        return later("%(name)s is now %(said_role)s.", name=person.name, said_role=role)

    def remove() -> Later:
        name = access.people.remove(_field("person")).name
        return later("%(name)s is removed, and logged out everywhere.", name=name)

    def log_out() -> Later:
        person = access.people.get(_field("person"))
        if "phone" not in flask.request.form:
            count = access.phones.log_out_all(person.id)
            return people_words.logged_out(person, count)
        phone = access.phones.log_out(person.id, _field("phone"))
        device = Later(lambda: told(phone.device))
        return later(
            "%(name)s is logged out on %(said_device)s %(letters)s.",
            name=person.name,
            said_device=device,
            letters=phone.letters,
        )

    press("withdraw", withdraw)
    press("role", change_role)
    press("remove", remove)
    press("log-out", log_out)

    @app.post("/people/invite", endpoint="people_invite")
    def invite() -> flask.typing.ResponseReturnValue:
        role = _role()
        try:
            token, link = access.invitations.make(role, visitor().person.id)
        except AccessFileError:
            raise
        except AccessError as error:
            note(str(error), refused=True)
            flask.flash(told(str(error)), "no")
            return flask.redirect(flask.url_for("people"), 303)
        note(later("An invitation for %(said_role)s is made.", said_role=people_words.role_later(role)).source)
        base = base_url_for_phones(settings, flask.request)
        # The one time that it is shown: only its hash is kept.
        url = f"{base or flask.request.host_url.rstrip('/')}{flask.url_for('first_use', token=token)}"
        return flask.render_template(
            "invitation.html",
            link=link,
            url=url,
            code=qr.picture(url),
            is_reachable=base is not None,
            role_word=people_words.role(role),
            role_may=people_words.role_may(role),
        )


def _people(access: Access, zone: ZoneInfo) -> list[people_words.PersonLine]:
    me, everybody, phones = visitor(), access.people.all(), access.phones.all()
    organizers = [each for each in everybody if each.role == "organizer"]
    lines = []
    for person in everybody:
        own = [
            people_words.phone(phone, access.phones.seen(phone), zone, is_this=phone.letters == me.phone.letters)
            for phone in phones
            if phone.person == person.id
        ]
        is_me, is_last = person.id == me.person.id, organizers == [person]
        lines.append(people_words.person(person, own, is_me=is_me, is_last_organizer=is_last))
    return lines


def _field(name: str) -> str:
    return flask.request.form.get(name, "")[:64]


def _role() -> Role:
    role = _field("role")
    if role not in ROLES:
        flask.abort(400)
    return role
