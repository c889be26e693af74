"""Who may do what: one table, from each route to the least role it needs. What is not in the table nobody may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kiosk.dashboard.access_file import ROLES, Role

Least = Role | Literal["anyone"]

RIGHTS: Mapping[str, Least] = {
    "static": "anyone",
    "healthz": "anyone",
    "language": "anyone",
    "privacy": "anyone",
    "login": "anyone",
    "login_post": "anyone",
    "first_use": "anyone",  # the link is the right
    "first_use_post": "anyone",
    # how the evening goes, without anybody's name
    "home": "viewer",
    "stream": "viewer",
    "events": "viewer",
    "preview_picture": "viewer",
    "watch": "viewer",
    "watch_playlist": "viewer",
    "watch_segment": "viewer",
    "own_pin": "viewer",
    "own_pin_post": "viewer",
    "logout": "viewer",
    # the names of those who come
    "see_names": "door",  # no route: what "home" and "events" tell
    "screen": "door",
    "screen_events": "door",
    "screen_sponsor": "door",
    "door": "door",
    "door_check-in": "door",
    "door_check-out": "door",
    "door_walk-in": "door",
    "door_wait": "door",
    "door_admit-waiting": "door",
    "door_stop-waiting": "door",
    "door_correct": "door",
    "door_undo": "door",
    "confirm_release": "door",
    "door_release": "door",
    "door_set-clock": "door",
    "door_scan": "door",
    "door_read-code": "door",
    "system": "door",
    "tickets_paper": "door",
    "tickets_paper_pdf": "door",
    "tickets_paper-look": "door",
    "tickets_paper-take": "door",
    # numbers, for a program that watches
    "metrics": "door",
    # what viewers see, and who may come in
    "stream_start": "organizer",
    "stream_go_live": "organizer",
    "stream_next_talk": "organizer",
    "stream_camera": "organizer",
    "stream_take_break": "organizer",
    "stream_end": "organizer",
    "stream_hide_camera": "organizer",
    "stream_undo": "organizer",
    "confirm_stop": "organizer",
    "stream_stop": "organizer",
    "stream_retry": "organizer",
    "stream_preflight": "organizer",
    "talks": "organizer",
    "talks_stage": "organizer",
    "talks_next": "organizer",
    "talks_up": "organizer",
    "talks_down": "organizer",
    "talks_remove": "organizer",
    "talks_undo": "organizer",
    "talks_undo-stage": "organizer",
    "talks_upload": "organizer",
    "add_talk": "organizer",
    "talks_add": "organizer",
    "edit_talk": "organizer",
    "talks_edit": "organizer",
    "backups": "organizer",  # all names and all keys are in them
    "backup_make": "organizer",
    "backup_download": "organizer",
    "backup_check": "organizer",
    "ticket_list": "organizer",
    "ticket": "organizer",
    "ticket_print": "organizer",
    "tickets_look": "organizer",
    "tickets_take": "organizer",
    "tickets_leave": "organizer",
    "confirm_forget": "organizer",
    "tickets_forget": "organizer",
    "tickets_revoke": "organizer",
    "tickets_give-back": "organizer",
    "tickets_replace": "organizer",
    "pretix": "organizer",
    "pretix_enrol": "organizer",
    "pretix_choose": "organizer",
    "pretix_sync": "organizer",
    "pretix_seen": "organizer",
    "confirm_pretix_leave": "organizer",
    "pretix_leave": "organizer",
    "system_lights": "organizer",
    "system_counter": "organizer",
    "system_strike": "organizer",
    "confirm_off": "organizer",
    "system_off": "organizer",
    "confirm_anew": "organizer",
    "system_anew": "organizer",
    "confirm_program": "organizer",
    "system_program": "organizer",
    "system_support": "organizer",  # and the log
    "people": "organizer",
    "people_invite": "organizer",
    "people_withdraw": "organizer",
    "people_role": "organizer",
    "people_remove": "organizer",
    "people_log_out": "organizer",
    "people_token": "organizer",
    "people_revoke": "organizer",
    "changes": "organizer",
    "report": "organizer",
    "report_pdf": "organizer",
    "report_csv": "organizer",
    "report_json": "organizer",
    # programs, each as the page that does the same
    "api.openapi": "viewer",
    "api.evening": "viewer",
    "api.events": "viewer",
    "api.stream": "viewer",
    "api.scans": "viewer",  # without names
    "api.tickets": "door",
    "api.waiting": "door",
    "api.door_check-in": "door",
    "api.door_check-out": "door",
    "api.door_walk-in": "door",
    "api.door_wait": "door",
    "api.door_admit-waiting": "door",
    "api.door_stop-waiting": "door",
    "api.door_correct": "door",
    "api.door_undo": "door",
    "api.door_release": "door",
    "api.door_set-clock": "door",
    "api.door_read-code": "door",
    "api.tickets_paper-look": "door",
    "api.tickets_paper-take": "door",
    "api.stream_start": "organizer",
    "api.stream_go_live": "organizer",
    "api.stream_next_talk": "organizer",
    "api.stream_camera": "organizer",
    "api.stream_take_break": "organizer",
    "api.stream_end": "organizer",
    "api.stream_hide_camera": "organizer",
    "api.stream_undo": "organizer",
    "api.stream_stop": "organizer",
    "api.stream_retry": "organizer",
    "api.stream_preflight": "organizer",
    "api.talks": "organizer",
    "api.talks_add": "organizer",
    "api.talks_edit": "organizer",
    "api.talks_remove": "organizer",
    "api.talks_up": "organizer",
    "api.talks_down": "organizer",
    "api.talks_undo": "organizer",
    "api.talks_stage": "organizer",
    "api.talks_next": "organizer",
    "api.talks_undo-stage": "organizer",
    "api.changes": "organizer",
    "api.backups": "organizer",
    "api.backup_make": "organizer",
}

API = "api."  # how the routes begin that know programs by a token, and nobody by a cookie
OPEN_HERE = frozenset({"screen", "screen_events", "screen_sponsor", "metrics"})  # also to a browser on the Pi itself
FILM = frozenset(
    {"watch", "watch_playlist", "watch_segment"}
)  # also to the local network, when the organizer allows it


def may(role: Role | None, right: str) -> bool:
    """Whether somebody may: `role` is None for whoever is not logged in."""
    least = RIGHTS.get(right)
    if least is None:
        return False
    return least == "anyone" or (role is not None and ROLES.index(role) >= ROLES.index(least))
