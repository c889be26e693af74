"""What an installation says last: where the dashboard is and, while nobody may log in, the link for the first one.

Run by root, with the Python of the release; with --no-link, no link is made, since it would make the one before void.
"""

import sys
from pathlib import Path

import click

from hardware.clock import SystemClock
from hardware.errors import PlatypusError
from kiosk.config import load_config
from kiosk.dashboard import qr
from kiosk.dashboard.access import Access
from kiosk.dashboard.address import named_url, phones_url
from kiosk.services.dashboard import login_link

CONFIG = Path("/etc/platypus/platypus.toml")


def main() -> None:
    """Print it; `sys.argv` says whether with a link. Raises PlatypusError."""
    config = load_config(CONFIG)
    url = phones_url(config.dashboard, config.dashboard.port)
    click.echo(f"the dashboard: {url or f'http://127.0.0.1:{config.dashboard.port} on this machine'}")
    named = named_url(config.dashboard)
    if named is not None:
        click.echo(f"or by its name, which phones find without a server: {named}")
    if "--no-link" in sys.argv or Access(Path(config.state_dir), SystemClock()).people.all():
        click.echo("a new login link, should you need one: sudo platypus dashboard --new-login")
        return
    link = login_link(CONFIG)
    click.echo(qr.for_terminal(link))
    click.echo(f"log in for the first time (30 minutes, once): {link}")
    click.echo("a phone warns once, since nobody else signed this machine's certificate")
    click.echo(
        f"the evening is called {config.door.event}, with what {CONFIG} says; sudo platypus doctor says what works"
    )


if __name__ == "__main__":
    try:
        main()
    except (PlatypusError, OSError) as error:
        sys.exit(f"install: {error}")
