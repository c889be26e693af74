"""Commands about talks, as the stream process obeys them: who is on stage, who is next, and the agenda itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from hardware.errors import PlatypusError
from kiosk.news import AgendaNews, StreamCommand, StreamOrder
from stream.agenda import Agenda
from stream.control import StreamControl
from stream.kept_talks import KeptTalks

log = logging.getLogger(__name__)


class AgendaDesk:
    """Obeys those commands that name a talk or an agenda, for one director and its talks."""

    def __init__(self, director: StreamControl, talks: KeptTalks) -> None:
        self._director = director
        self._talks = talks
        self._orders: Mapping[StreamOrder, Callable[[StreamCommand], None]] = {
            "next_talk": lambda _: self._next_talk(),
            "put_on_stage": lambda command: director.put_on_stage(command.talk),
            "make_next": lambda command: director.make_next(command.talk),
            "replace_agenda": self._replace,
            "undo_agenda": lambda command: talks.undo(command.made_from),
        }

    def news(self) -> AgendaNews:
        """The agenda as it is now."""
        kept = self._talks.kept()
        return AgendaNews(revision=kept.revision, agenda=kept.agenda, undo=kept.undo)

    def obey(self, command: StreamCommand) -> bool:
        """Whether it was one of ours, and was obeyed. Raises what the director and the talks raise."""
        order = self._orders.get(command.do)
        if order is not None:
            order(command)
        return order is not None

    def _next_talk(self) -> None:
        """Introduce the next talk; one that was made the next by hand has its place in the agenda from now on."""
        before = self._director.state().talk
        self._director.next_talk()
        talk = self._director.state().talk
        if talk is None or talk == before:
            return
        try:
            self._talks.bring_forward(talk.id, before.id if before else None)
        except PlatypusError as error:  # viewers see the talk's slate: that was the order
            log.error("agenda event=not-brought-forward cause=%s next=goes-on", error)  # noqa: TRY400

    def _replace(self, command: StreamCommand) -> None:
        self._talks.replace(command.agenda or Agenda(), command.made_from)
