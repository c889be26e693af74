"""Sending tickets: who is due, a trial that sends nothing, and the round itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from hardware.alone import alone
from hardware.clock import Clock
from kiosk.config import Config, ConfigError, event_secret, load_config, mail_password
from kiosk.ledger import Event, Ticket
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.sendings import Sendings
from kiosk.ledger.ticket_book import CannotChange
from kiosk.post.addresses import is_address
from kiosk.post.courier import SmtpCourier
from kiosk.post.letter import Letter, address_mac
from kiosk.post.round import Done, Due, Onlooker, deliver
from kiosk.post.settings import MailSettings
from kiosk.ticket_press import TicketPress
from kiosk.tickets.status import Status

Which = Literal["unsent"] | Collection[int]  # numbers of tickets, whether they were sent or not


class Post(NamedTuple):
    """What there is to send."""

    due: Sequence[Ticket]
    sent_before: Sequence[int]  # numbers, to the address that they have now
    reachable: Sequence[Ticket]  # all of them, sent or not
    unreachable: Sequence[Ticket]  # without an e-mail, or with none that can be one


def look_at_post(config_path: Path, slug: str, which: Which) -> Post:
    """Who would get a letter; nothing is sent. Raises CannotChange for a number that is no good ticket of ours."""
    config = load_config(config_path)
    secret = event_secret(config, slug)
    with Ledger(config.ledger_path) as ledger:
        event = ledger.event(slug)
        return _post(ledger, event, secret, which)


def send_post(
    config_path: Path,
    slug: str,
    which: Which,
    clock: Clock,
    wait: Callable[[float], None],
    onlooker: Onlooker,
    *,
    to_self: str = "",
) -> tuple[Post, Done]:
    """Send the letters. With `to_self` one of them (or those of `which`) goes to that address, and is not noted.

    Raises ConfigError, NoCourier at the first letter, RunsAlready while another round goes on.
    """
    config = load_config(config_path)
    mail, password = _mail(config, config_path)
    if to_self and not is_address(to_self, is_ours=True):
        raise ConfigError(f"{to_self!r} is no e-mail address")
    secret = event_secret(config, slug)
    with (
        alone(Path(config.state_dir) / "sending.lock", "platypus tickets send"),
        Ledger(config.ledger_path) as ledger,
    ):
        event = ledger.event(slug)
        post = _post(ledger, event, secret, which)
        chosen = post.due
        if to_self and which == "unsent":  # a trial, of whichever ticket there is
            chosen = post.reachable[:1]
            if not chosen:
                raise CannotChange("there is no good ticket of ours with an e-mail: there is nothing to try.")
        sendings = Sendings(ledger, event)
        by_number = {each.number: each for each in chosen}

        def note(letter: Letter) -> None:
            if not to_self:
                ticket = by_number[letter.number]
                sendings.note(ticket, address_mac(secret, ticket.email or ""), clock.stamp().wall)

        with (
            TicketPress.of(event, secret, config.look_path, config.dashboard.zone, config.dashboard.language) as press,
            SmtpCourier(mail, password) as courier,
        ):

            def write(ticket: Ticket) -> Letter:
                return press.letter(ticket, mail, clock.stamp().wall, to_self)

            due = [Due(each.number, partial(write, each)) for each in chosen]
            return post, deliver(due, courier, mail.per_minute, clock, wait, note, onlooker)


def _post(ledger: Ledger, event: Event, secret: bytes, which: Which) -> Post:
    good = [
        each for each in ledger.tickets(event) if each.is_own and not each.is_walk_in and each.status is Status.PAID
    ]
    if which != "unsent":
        numbers = {each.number for each in good}
        bad = sorted(set(which) - numbers)
        if bad:
            raise CannotChange(f"ticket no. {bad[0]} is no good ticket of ours: there is nothing to send.")
        good = [each for each in good if each.number in which]
    reachable = [each for each in good if is_address(each.email or "")]
    sent = Sendings(ledger, event).sent()
    before = [each for each in reachable if address_mac(secret, each.email or "") in sent.get(each.id, ())]
    known = {each.id for each in before} if which == "unsent" else set()
    return Post(
        [each for each in reachable if each.id not in known],
        [each.number for each in before],
        reachable,
        [each for each in good if not is_address(each.email or "")],
    )


def _mail(config: Config, config_path: Path) -> tuple[MailSettings, str]:
    """Raises ConfigError when it is not said by which server letters go."""
    if config.mail is None or not config.mail.host:
        raise ConfigError(
            f'{config_path} does not say how letters go: write host = "smtp.example.org", user and from under [mail] '
            "(docs/tickets.md)"
        )
    return config.mail, mail_password(config, config_path)
