"""The Flask application, put together from what it is given."""

from __future__ import annotations

import logging
from datetime import timedelta

import flask
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from kiosk.backup.shelf import Shelf
from kiosk.dashboard.access import Access
from kiosk.dashboard.api import problems
from kiosk.dashboard.api.calls import Calls
from kiosk.dashboard.api.serving import add_api, is_api
from kiosk.dashboard.backup_page import add_backup
from kiosk.dashboard.changes import Changes
from kiosk.dashboard.changes_page import add_changes
from kiosk.dashboard.desk import MOST_AT_ONCE, PATIENCE_S, Turns, add_desk
from kiosk.dashboard.entrance import add_entrance
from kiosk.dashboard.first_link import FirstLink
from kiosk.dashboard.gatekeeper import add_gatekeeper, look_at_tokens
from kiosk.dashboard.guard import Cookies, guard
from kiosk.dashboard.language import _, add_language, say_later
from kiosk.dashboard.live import Live
from kiosk.dashboard.metrics import add_metrics
from kiosk.dashboard.noting import add_noting
from kiosk.dashboard.pages import add_pages
from kiosk.dashboard.paper_page import add_paper
from kiosk.dashboard.people_page import add_people
from kiosk.dashboard.phones import LIFE_S
from kiosk.dashboard.ports import FrontDesk, News
from kiosk.dashboard.pretix_page import add_pretix
from kiosk.dashboard.privacy_page import add_privacy
from kiosk.dashboard.report_page import add_report
from kiosk.dashboard.scanning import add_scanning
from kiosk.dashboard.screen import add_screen
from kiosk.dashboard.searches import Searches
from kiosk.dashboard.settings import DashboardSettings
from kiosk.dashboard.sponsors import Sponsors, add_sponsors
from kiosk.dashboard.stream_page import add_stream
from kiosk.dashboard.system_page import add_system
from kiosk.dashboard.talks import add_talks
from kiosk.dashboard.ticket_files import add_ticket_files
from kiosk.dashboard.ticket_lists_page import add_ticket_lists
from kiosk.dashboard.ticket_office import TicketOffice
from kiosk.dashboard.tickets_page import add_tickets
from kiosk.dashboard.tokens_page import add_tokens
from kiosk.dashboard.told import told
from kiosk.dashboard.upkeep import Upkeep
from kiosk.dashboard.uploads import let_files_in
from kiosk.dashboard.watching import PreviewFiles, add_watching

log = logging.getLogger(__name__)

LARGEST_BODY_BYTES = 16 * 1024  # our forms send a name and a PIN, or a talk, and a token; a file: uploads.py

_OURS = (
    say_later("Something broke"),
    say_later("It was our fault and it is in the log. The door and the stream go on without this page."),
)
_SAID = {
    400: (
        say_later("That did not work"),
        say_later("The request could not be understood. Go back and try again."),
    ),
    403: (say_later("Not allowed"), say_later("Log in first, then try again.")),
    404: (say_later("Nothing here"), say_later("There is no such page. The address may be mistyped.")),
    405: (
        say_later("That did not work"),
        say_later("This page cannot be used that way. Go back and try again."),
    ),
    413: (
        say_later("Too large"),
        say_later(
            "What was sent is larger than any form takes (a file of talks or tickets: 2 MB). Go back and try again."
        ),
    ),
    500: _OURS,
}


def create_app(
    settings: DashboardSettings,
    *,
    access: Access,
    changes: Changes,
    live: Live,
    news: News,
    desk: FrontDesk,
    tickets: TicketOffice,
    shelf: Shelf,
    preview: PreviewFiles,
    sponsors: Sponsors,
    upkeep: Upkeep,
) -> flask.Flask:
    """The application; whoever calls also starts `live`, or uses `serve`."""
    app = flask.Flask("kiosk.dashboard")
    app.config.update(
        SECRET_KEY=access.secret_key(),
        SESSION_COOKIE_NAME="platypus",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=LIFE_S),
        MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,
        MAX_FORM_PARTS=20,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a page stays open all evening and Stop must still work
        WTF_CSRF_SSL_STRICT=False,  # it needs a Referer, and our pages send none; the token itself is checked
    )
    app.session_interface = Cookies(settings, access.clock)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    add_language(app, settings.language)  # whatever is refused is refused in words
    guard(app, settings)  # first: an unknown Host is answered before anything else looks at the request
    look_at_tokens(app, access.tokens)
    add_noting(app, changes, access.clock)  # before anything refuses
    let_files_in(app)  # before the token is looked for: that reads the whole request
    forms = CSRFProtect(app)
    add_gatekeeper(app, access.phones, is_film_open=settings.watch == "local")
    add_entrance(app, access)
    add_people(app, access, settings)
    add_tokens(app, access)
    add_changes(app, changes, settings.zone)
    add_pages(app, access.phones, live, settings.zone)
    add_stream(app, live, news, settings.zone)
    add_system(app, live, news, settings, add_backup(app, shelf, access.clock, settings.zone), upkeep, access.clock)
    turns, searches = Turns(MOST_AT_ONCE, PATIENCE_S), Searches(access.clock)
    add_desk(app, desk, live, settings.zone, turns, searches)
    add_scanning(app, desk, live)
    add_report(app, desk, settings.zone)
    add_talks(app, live, news, settings.zone)
    tickets_page = add_tickets(app, tickets, live, settings.zone, turns, searches)
    add_ticket_files(app, tickets, turns)
    add_privacy(app, tickets, live, settings.zone, turns)
    add_pretix(app, tickets, live, settings.zone, turns)
    add_ticket_lists(app, tickets, live, settings.zone, turns, access.clock, tickets_page)
    add_paper(app, tickets.paper, live, settings.zone, turns, access.clock)
    add_screen(app, settings, access.phones, FirstLink(access), live)
    add_sponsors(app, sponsors)
    add_metrics(app, live)
    add_watching(app, preview, settings.language_of_screens)
    calls = Calls(live, news, desk, changes, turns, tickets, shelf, upkeep, access.clock, settings.zone)
    forms.exempt(add_api(app, calls, live, access.tokens))

    @app.errorhandler(CSRFError)
    def csrf_failed(error: CSRFError) -> flask.typing.ResponseReturnValue:
        text = _("This page was open for too long, or was opened from elsewhere. Open it again, then press once more.")
        return flask.render_template("error.html", title=_("Open the page again"), text=text), 400

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> flask.typing.ResponseReturnValue:
        code = error.code or 500
        if code < 400:
            return error.get_response()
        if is_api(flask.request):  # there is no such address, or it does not take this method
            return problems.of_http(error)
        title, text = _SAID.get(code, _SAID[400] if code < 500 else _OURS)
        said = _(text)
        if isinstance(error.description, str) and "[dashboard]" in error.description:
            said = told(error.description)  # our own words about an unknown Host
        return flask.render_template("error.html", title=_(title), text=said), code

    @app.errorhandler(Exception)
    def broken(error: Exception) -> flask.typing.ResponseReturnValue:
        log.error("page event=failed endpoint=%s", flask.request.endpoint, exc_info=error)
        title, text = _OURS
        return flask.render_template("error.html", title=_(title), text=_(text)), 500

    return app
