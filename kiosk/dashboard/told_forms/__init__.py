"""The forms of sentences that other processes say and pages show; see told.py. Values are written `%(name)s`."""

from __future__ import annotations

from kiosk.dashboard.told_forms import door, machine, pages, stream, tickets

FORMS = (*tickets.FORMS, *stream.FORMS, *machine.FORMS, *door.FORMS, *pages.FORMS)
