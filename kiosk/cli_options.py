"""Options that most subcommands of `platypus` share."""

from __future__ import annotations

from pathlib import Path

import click

CONFIG = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="PLATYPUS_CONFIG",
    default=Path("/etc/platypus/platypus.toml"),
    show_default=True,
    help="platypus.toml; secrets.toml lies beside it.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
EVENT = click.option("--event", "slug", required=True, help="The event's short name.")
