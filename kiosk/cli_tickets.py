"""`platypus tickets verify`: the organizer's question what a code is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import msgspec
from click.core import ParameterSource

from hardware.clock import SystemClock
from kiosk.cli_options import CONFIG, JSON


@click.command("verify")
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
def verify(
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


def _from_stdin(most: int) -> bytes:
    """A code: never an argument, which the shell's history and the list of processes would keep."""
    if sys.stdin.isatty():
        return os.fsencode(str(click.prompt("code")))
    return sys.stdin.buffer.read(most + 1)
