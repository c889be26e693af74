"""The catalogue of sentences: what the source says, and its French.

    python -m kiosk.dashboard.catalogue

brings translations/fr/LC_MESSAGES/messages.po up to the source and compiles it; what is new is empty there until
somebody writes it. Tests hold source, catalogue and its compiled form together.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

FOLDER = Path(__file__).parent
WRITTEN = FOLDER / "translations/fr/LC_MESSAGES/messages.po"
COMPILED = WRITTEN.with_suffix(".mo")
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
_HEADER = """\
# Everything that pages and screens say, in French. `python -m kiosk.dashboard.catalogue` brings it up to the source.
msgid ""
msgstr ""
"Language: fr\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
_KEYWORDS = {**DEFAULT_KEYWORDS, "say_later": None, "later": None}


def extracted() -> Catalog:
    """Every sentence of the source."""
    catalog = Catalog()
    found = extract_from_dir(FOLDER, _METHODS, _OPTIONS, keywords=_KEYWORDS)
    for name, _line, message, comments, context in found:
        catalog.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    return catalog


def written() -> Catalog:
    """The catalogue as it is on the disk."""
    with WRITTEN.open("rb") as file:
        return read_po(file, locale="fr")


def compiled(catalog: Catalog) -> bytes:
    """What gettext reads."""
    catalog.creation_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same from the same
    content = io.BytesIO()
    write_mo(content, catalog)
    return content.getvalue()


def untranslated(catalog: Catalog) -> list[str]:
    """What has no French, or only a guess."""
    texts = [
        (each, each.string if isinstance(each.string, str) else "".join(filter(None, each.string or ())))
        for each in catalog
    ]
    return [str(each.id) for each, text in texts if each.id and (not text or each.fuzzy)]


def renew() -> list[str]:
    """Bring the files up to the source. Returns what has no French yet."""
    catalog = written()
    catalog.update(extracted(), no_fuzzy_matching=True)
    content = io.BytesIO()
    write_po(
        content, catalog, width=120, include_lineno=False, ignore_obsolete=True, sort_by_file=True, omit_header=True
    )
    WRITTEN.write_bytes(_HEADER.encode() + content.getvalue())
    COMPILED.write_bytes(compiled(written()))
    return untranslated(written())


if __name__ == "__main__":
    missing = renew()
    sys.stdout.writelines(f"without French: {each}\n" for each in missing)
    sys.exit(bool(missing))
