"""`platypus tickets ...`: our own, and those of others."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec
from click.core import ParameterSource

from hardware.clock import SystemClock
from kiosk.cli_options import CONFIG, EVENT, JSON
from kiosk.cli_ticket_lists import say_columns, some, tickets_import
from kiosk.tickets.forms import Form

if TYPE_CHECKING:
    from kiosk.ledger import NewTicket, Ticket
    from kiosk.post.round import Done
    from kiosk.post_office import Post
    from kiosk.ticket_press import Printed, Wish
    from stream.slate_words import Language

FORM = click.option(
    "--form",
    "forms",
    multiple=True,
    type=click.Choice([each.value for each in Form]),
    help="a4: sheets of four to cut; page: a page of A6 each; label: a roll of 62 mm; png, svg: a file each. Say it "
    "again for another; without it a4, png and svg.",
)
LANGUAGE = click.option(
    "--language",
    type=click.Choice(["en", "fr"]),
    help="Of tickets whose list has no column for it; without it the dashboard's.",
)
LETTERS = click.option("--eml", "letters", is_flag=True, help="A letter too (NNNN.eml) for everybody with an e-mail.")


@click.group()
def tickets() -> None:
    """Tickets: our own, and those of others."""


tickets.add_command(tickets_import)


@tickets.command("issue")
@CONFIG
@EVENT
@click.argument("people", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the tickets.")
@FORM
@LANGUAGE
@LETTERS
@JSON
def tickets_issue(
    config_path: Path,
    slug: str,
    people: Path,
    out: Path,
    forms: Sequence[str],
    language: Language | None,
    *,
    letters: bool,
    as_json: bool,
) -> None:
    """Make a ticket for each person of a list, and print them; the same list again prints the same ones."""
    from kiosk import office  # noqa: PLC0415

    wish = _wish(forms, language, letters=letters)
    sheet, done, printed, absent = office.issue_tickets(config_path, slug, people, out, wish)
    if as_json:
        told = {
            **done._asdict(),
            "files": [str(path) for path in printed.files],
            "absent": absent,
            "without_email": [each.number for each in printed.unreachable],
            "troubles": printed.troubles,
        }
        click.echo(msgspec.json.encode(told))
        return
    say_columns(sheet)
    files = len(printed.files)
    click.echo(f"{done.new} new, {done.changed} changed, {done.unchanged} as before; {files} files in {out}")
    _say_printed(printed)
    if absent:
        numbers = some([str(number) for number in absent])
        click.echo(f"{len(absent)} ticket(s) issued before are not in this list and stay good: no. {numbers}")


_NUMBER = click.argument("number", type=click.IntRange(1, 2_147_483_647))


@tickets.command("revoke")
@CONFIG
@EVENT
@_NUMBER
def tickets_revoke(config_path: Path, slug: str, number: int) -> None:
    """Make a ticket good for nothing, whatever a later list says."""
    from kiosk import office  # noqa: PLC0415

    ticket = office.revoke_ticket(config_path, slug, number)
    click.echo(f"no. {ticket.number} {ticket.holder or ''} is revoked: the door refuses it from now on")


@tickets.command("give-back")
@CONFIG
@EVENT
@_NUMBER
def tickets_give_back(config_path: Path, slug: str, number: int) -> None:
    """Make a revoked ticket good again."""
    from kiosk import office  # noqa: PLC0415

    ticket = office.give_back_ticket(config_path, slug, number)
    click.echo(f"no. {ticket.number} {ticket.holder or ''} is good again")


@tickets.command("print")
@CONFIG
@EVENT
@_NUMBER
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the ticket.")
@FORM
@LANGUAGE
@LETTERS
def tickets_print(
    config_path: Path,
    slug: str,
    number: int,
    out: Path,
    forms: Sequence[str],
    language: Language | None,
    *,
    letters: bool,
) -> None:
    """Print one ticket of ours again; it has the same code."""
    from kiosk import office  # noqa: PLC0415

    printed = office.print_ticket(config_path, slug, number, out, _wish(forms, language, letters=letters))
    click.echo(f"{len(printed.files)} files in {out}")
    _say_printed(printed)


@tickets.command("replace")
@CONFIG
@EVENT
@_NUMBER
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the new ticket."
)
@click.option("--name", "holder", help="Whom it is for now, when it is passed on.")
@click.option("--email", help="Their e-mail.")
@FORM
@LANGUAGE
@LETTERS
def tickets_replace(
    config_path: Path,
    slug: str,
    number: int,
    out: Path,
    holder: str | None,
    email: str | None,
    forms: Sequence[str],
    language: Language | None,
    *,
    letters: bool,
) -> None:
    """Make a new ticket in the place of one of ours, with another code; the old one is revoked."""
    from kiosk import office  # noqa: PLC0415

    wish = _wish(forms, language, letters=letters)
    heir, printed = office.replace_ticket(config_path, slug, number, out, wish, holder=holder, email=email)
    files = len(printed.files)
    click.echo(f"no. {heir.number} {heir.holder or ''} takes the place of no. {number}; {files} files in {out}")
    _say_printed(printed)


@tickets.command("send")
@CONFIG
@EVENT
@click.option("--dry-run", is_flag=True, help="Say who would get what, and send nothing.")
@click.option(
    "--to-self",
    default="",
    metavar="ADDRESS",
    help="One letter (or those of --only) to yourself, as a trial; not noted.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="unsent|NUMBER",
    help="Which tickets; again for another. unsent: those that their people were not sent yet, as without it.",
)
@JSON
def tickets_send(
    config_path: Path, slug: str, to_self: str, only: Sequence[str], *, dry_run: bool, as_json: bool
) -> None:
    """Send our tickets by e-mail, at the pace of [mail] per_minute, to everybody who has not got theirs.

    Interrupt it whenever you like: the same command goes on where it ended. Exit 1 when a letter did not go.
    """
    from kiosk import post_office  # noqa: PLC0415

    which = _which(only)
    if dry_run:
        _say_post(post_office.look_at_post(config_path, slug, which), to_self, as_json=as_json)
        return
    onlooker = Terminal(is_quiet=as_json)
    post, done = post_office.send_post(config_path, slug, which, SystemClock(), time.sleep, onlooker, to_self=to_self)
    if as_json:
        told = {
            "sent": done.sent,
            "failed": [each._asdict() for each in done.failed],
            "left": done.left,
            "sent_before": post.sent_before,
            "without_email": [each.number for each in post.unreachable],
            "stopped_by": done.stopped_by,
            "is_interrupted": done.is_interrupted,
        }
        click.echo(msgspec.json.encode(told))
    else:
        _say_done(post, done)
    if done.is_interrupted:
        sys.exit(130)
    if done.failed or done.stopped_by:
        sys.exit(1)


@tickets.command("verify")
@click.argument("code")
@click.option(
    "--pretix-key",
    "pretix_keys",
    multiple=True,
    metavar="KEY_OR_FILE",
    help="A public key of the event in pretix (valid_keys, pretix_sig1), or a file of some; say it again for another.",
)
@CONFIG
@JSON
@click.pass_context
def tickets_verify(
    context: click.Context, code: str, pretix_keys: tuple[str, ...], config_path: Path, *, as_json: bool
) -> None:
    """Say what a ticket code is: whose, of which ticket, and whether pretix signed it; CODE - reads it from stdin.

    Exit 1 when it is neither a ticket of the door's event nor signed with one of the keys. It lets nobody in, and says
    nothing of whether the door would: a canceled ticket is known too.
    """
    from kiosk import verification  # noqa: PLC0415

    raw = _from_stdin(verification.MAX_CODE_BYTES) if code == "-" else os.fsencode(code)
    is_default = context.get_parameter_source("config_path") is ParameterSource.DEFAULT
    known_config = None if is_default and not config_path.exists() else config_path  # keys alone verify a signature
    keys = verification.keys_of(pretix_keys)
    told = verification.verify(known_config, raw, keys, SystemClock().stamp().wall)
    click.echo(msgspec.json.encode(told) if as_json else verification.as_text(told))
    if not told.is_good:
        sys.exit(1)


class Terminal:
    """Tells whoever sends letters how it goes."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet

    def sent(self, number: int, done: int, total: int) -> None:
        if not self._is_quiet:
            click.echo(f"{done} of {total}: no. {number} sent")

    def waits(self, seconds: float, letters: int) -> None:
        if not self._is_quiet:
            click.echo(f"{letters} still to go, the next try in {seconds:.0f} s (Ctrl-C ends, and loses nothing)")


def _which(only: Sequence[str]) -> Literal["unsent"] | Sequence[int]:
    if not only or list(only) == ["unsent"]:
        return "unsent"
    numbers = [int(word) for word in only if word.isascii() and word.isdigit() and len(word) < 11]
    if len(numbers) != len(only):
        raise click.UsageError(f"--only is unsent, or the number of a ticket, not {', '.join(only)}")
    return numbers


def _say_post(post: Post, to_self: str, *, as_json: bool) -> None:
    if as_json:
        due = [{"number": each.number, "holder": each.holder, "email": each.email} for each in post.due]
        without = [each.number for each in post.unreachable]
        click.echo(msgspec.json.encode({"due": due, "sent_before": post.sent_before, "without_email": without}))
        return
    for each in post.due:
        click.echo(f"  no. {each.number} {each.holder or ''} <{to_self or each.email}>")
    click.echo(f"{len(post.due)} would be sent; nothing was.")
    _say_others(post)


def _say_others(post: Post) -> None:
    if post.sent_before:
        click.echo(f"{len(post.sent_before)} were sent before")
    _say_unreachable(post.unreachable)


def _say_unreachable(tickets: Sequence[Ticket | NewTicket]) -> None:
    if tickets:
        names = some([f"no. {each.number} {each.holder or ''}".strip() for each in tickets])
        click.echo(f"{len(tickets)} without an e-mail that can be one, give theirs by hand: {names}")


def _say_done(post: Post, done: Done) -> None:
    for each in done.failed:
        again = "" if each.is_for_good else "; not now, so try again later"
        click.echo(f"no. {each.number} was not sent: {each.why}{again}")
    click.echo(f"{len(done.sent)} sent, {len(done.failed)} not taken, {len(done.left)} left")
    _say_others(post)
    if done.stopped_by:
        click.echo(f"ended: {done.stopped_by}", err=True)
    if done.is_interrupted:
        click.echo("interrupted; the same command goes on. A letter that was on its way just then goes once more.")


def _wish(forms: Sequence[str], language: Language | None, *, letters: bool) -> Wish:
    from kiosk.ticket_press import AS_ALWAYS, Wish  # noqa: PLC0415

    if not forms:
        return Wish(() if letters else AS_ALWAYS, language, letters)
    return Wish([Form(each) for each in forms], language, letters)


def _say_printed(printed: Printed) -> None:
    for trouble in printed.troubles:
        click.echo(f"note: {trouble}")
    _say_unreachable(printed.unreachable)


def _from_stdin(most: int) -> bytes:
    """A code: never an argument, which the shell's history and the list of processes would keep."""
    if sys.stdin.isatty():
        return os.fsencode(str(click.prompt("code")))
    return sys.stdin.buffer.read(most + 1)
