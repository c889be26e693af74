"""How long a slate takes, and docs/pictures/slate-*.png.

    .venv/bin/python benchmarks/slates.py [--repeat 5] [--size 1920x1080] [--pictures docs/pictures]

Each kind with six sponsors and a logo, made here; and a title that is shrunk to the last size and cut. Wall time of
`Slates.draw`, all pictures of its loop together, and CPU time with Pango's in it; the first draw of a run, which reads
the logos, is left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw

from stream.agenda import Talk
from stream.lettering import Lettering, Style
from stream.settings import Picture
from stream.slates import Slates

NOW = datetime(2026, 11, 24, 17, 48, tzinfo=UTC)
SEVEN = NOW + timedelta(minutes=12)
TALK = Talk(id="a", title="Writing a Rust driver for a 2 € sensor", speaker="Łukasz O'Brien", starts_at=SEVEN)
LONG = Talk(id="b", title="日本語のタイトル 🎉 50 % of a very long title مرحبا " * 12, speaker="Ada", starts_at=SEVEN)
SPONSORS = {"Acme": "#c0392b", "Globex": "#1f6fb2", "Initech": "#1e8449", "Umbrella": "#7d3c98", "Hooli": "#d35400"}


def make_look(folder: Path) -> None:
    """A folder as an organizer would fill it."""
    (folder / "sponsors").mkdir(parents=True)
    (folder / "look.toml").write_text('association = "The Platypus Society"\nwebsite = "platypus.example"\n')
    lettering = Lettering(folder)
    for name, colour in (SPONSORS | {"Stark": "#ffffff"}).items():
        logo = Image.new("RGBA", (600, 160), (0, 0, 0, 0))
        ImageDraw.Draw(logo).ellipse((0, 10, 140, 150), fill=colour)
        word = lettering.block(name, Style("DejaVu Sans", 84, colour, is_bold=True), 440, 150)
        if word is not None:
            logo.alpha_composite(word, (160, (160 - word.height) // 2))
        logo.save(folder / "sponsors" / f"{name}.png")
    own = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    ImageDraw.Draw(own).ellipse((0, 0, 299, 299), fill="#2a9d8f")
    letter = lettering.block("P", Style("DejaVu Sans", 200, "#ffffff", is_bold=True), 300, 300)
    if letter is not None:
        own.alpha_composite(letter, ((300 - letter.width) // 2, (300 - letter.height) // 2))
    own.save(folder / "logo.png")


def main() -> None:
    """Measure, print, and write the pictures when asked."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repeat", type=int, default=5)
    options.add_argument("--size", default="1920x1080")
    options.add_argument("--pictures", type=Path)
    given = options.parse_args()
    width, height = map(int, given.size.split("x"))
    picture = Picture(width_px=width, height_px=height)
    with tempfile.TemporaryDirectory() as folder:
        make_look(Path(folder, "look"))
        slates = Slates(Path(folder, "look"), Path(folder, "out"), ZoneInfo("Europe/Paris"), "November talks")
        slates.draw("end", None, None, NOW, picture)
        kinds = {kind: (kind, TALK) for kind in ("starting", "next", "break", "end", "hidden")}
        for name, (kind, talk) in (kinds | {"next, long title": ("next", LONG)}).items():
            took_s = []
            before_cpu_s = sum(os.times()[:4])
            for _ in range(given.repeat):
                before_s = time.perf_counter()
                paths = slates.draw(kind, talk, SEVEN, NOW, picture)
                took_s.append(time.perf_counter() - before_s)
            cpu_s = (sum(os.times()[:4]) - before_cpu_s) / given.repeat
            print(
                f"{name:18} {len(paths)} pictures  median {statistics.median(took_s):.2f} s  most {max(took_s):.2f} s"
                f"  CPU {cpu_s:.2f} s"
            )
            if given.pictures and talk is TALK:
                small = Image.open(paths[0]).resize((640, 360), Image.Resampling.LANCZOS).quantize(128)
                small.save(given.pictures / f"slate-{kind}.png", optimize=True)


if __name__ == "__main__":
    main()
