"""Which pictures the folder of the look has: the association's logo, and the sponsors' in the order of their names."""

from __future__ import annotations

from pathlib import Path

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}  # by suffix, as Pillow calls them
MOST_SPONSORS = 60


def logo_path(folder: Path) -> Path | None:
    """logo.png, or .jpg, .jpeg, .webp; None when there is none."""
    try:
        return next((path for suffix in FORMATS if (path := folder / f"logo{suffix}").is_file()), None)
    except OSError:  # the folder is closed to us, which read_look says
        return None


def sponsor_paths(folder: Path) -> tuple[list[Path], list[str]]:
    """The sponsors' logos in the order of their names, and what is wrong with other files there."""
    try:
        files = sorted(
            (path for path in (folder / "sponsors").iterdir() if path.is_file() and not path.name.startswith(".")),
            key=lambda path: (path.name.casefold(), path.name),
        )
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    except OSError as error:
        return [], [f"{folder / 'sponsors'} cannot be read: {error.strerror}. Check its rights."]
    logos = [path for path in files if path.suffix.lower() in FORMATS]
    troubles = [f"sponsors/{path.name} is left out: save it as PNG or JPEG." for path in files if path not in logos]
    if len(logos) > MOST_SPONSORS:
        troubles.append(f"sponsors/ has {len(logos)} logos; the first {MOST_SPONSORS} are shown.")
    return logos[:MOST_SPONSORS], troubles
