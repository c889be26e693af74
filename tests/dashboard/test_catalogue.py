"""The catalogue: whatever the source says is in it, in French, with the same values, and compiled as it is written."""

from __future__ import annotations

import ast
import gettext
import io
import re
import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

import kiosk.dashboard
from kiosk.dashboard import catalogue
from kiosk.dashboard.told_forms import FORMS

SOURCE = Path(kiosk.dashboard.__file__).parent
CHECKLIST = Path(__file__).parents[2] / "docs" / "checklist.md"
_VALUE = re.compile(r"%\((\w+)\)[a-z]")
_SAYS = {"_", "pgettext", "ngettext", "say_later", "later"}
_AS_IN_ENGLISH = 4  # letters; a longer French sentence that is the English one was forgotten
_THE_SAME = {
    "Films", "Pages", "Invitation", "Minutes", "Pause", "Stop", "%(rate)s Mb/s", "destination", "exit code %(code)s",
    "platypus stream destinations", "platypus stream destinations key %(name)s",
}  # fmt: skip


def test_every_sentence_of_the_source_is_in_the_catalogue_and_nothing_else_is() -> None:
    source, written = catalogue.extracted(), catalogue.written()
    assert {(each.id, each.context) for each in source} == {(each.id, each.context) for each in written}
    assert not written.obsolete


def test_every_sentence_has_its_french() -> None:
    assert catalogue.untranslated(catalogue.written()) == []
    assert not any(each.fuzzy for each in catalogue.written() if each.id)


def test_a_french_sentence_has_the_values_of_the_english_one() -> None:
    for each in catalogue.written():
        if not each.id:
            continue
        english = [each.id] if isinstance(each.id, str) else list(each.id)
        french = [each.string] if isinstance(each.string, str) else list(each.string)
        for text, wanted in zip(french, english, strict=True):
            assert set(_VALUE.findall(text)) == set(_VALUE.findall(wanted)), each.id
            assert text.count("<") == english[-1].count("<"), each.id
            assert (text[-1] == ".") == (wanted[-1] == "."), each.id


def test_french_is_french() -> None:
    for each in catalogue.written():
        english, french = str(each.id), str(each.string)
        if each.id and len(re.findall("[a-z]", _VALUE.sub("", english))) > _AS_IN_ENGLISH:
            assert french != english or english in _THE_SAME, english


def test_french_has_its_hard_spaces() -> None:
    for each in catalogue.written():
        if not each.id:
            continue
        for text in [each.string] if isinstance(each.string, str) else each.string or ():
            assert not re.search(r" [:;!?»]|« | %\(\w+\)s (?:min|Mo)\b", text), text
            assert not re.search(r"[^\W\d_][;!?»]|«[^\N{NO-BREAK SPACE}]", re.sub(r"https?:\S+|`.*`", "", text)), text


def test_the_compiled_catalogue_is_the_written_one() -> None:
    fresh = gettext.GNUTranslations(io.BytesIO(catalogue.compiled(catalogue.written())))
    with catalogue.COMPILED.open("rb") as file:
        kept = gettext.GNUTranslations(file)
    assert {key: text for key, text in kept._catalog.items() if key} == {  # type: ignore[attr-defined]
        key: text
        for key, text in fresh._catalog.items()
        if key  # type: ignore[attr-defined]
    }, "python -m kiosk.dashboard.catalogue compiles it"


def test_what_is_said_is_a_plain_string_that_the_catalogue_can_find() -> None:
    known = {
        text for each in catalogue.written() if each.id for text in ([each.id] if isinstance(each.id, str) else each.id)
    }
    for path in sorted(SOURCE.glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _SAYS):
                continue
            texts = [each for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            for text in texts[call.func.id == "pgettext" :]:
                assert text.value in known, f"{path.name}:{call.lineno} {text.value!r}"
            assert not any(isinstance(each, ast.JoinedStr) for each in call.args), f"{path.name}:{call.lineno}"


def test_every_form_of_a_told_sentence_is_there_once() -> None:
    assert len(set(FORMS)) == len(FORMS), sorted({form for form in FORMS if FORMS.count(form) > 1})


def test_no_sentence_is_left_in_a_script() -> None:
    for path in sorted(SOURCE.glob("static/**/*.js")):
        if "vendor" in path.parts:
            continue
        code = "\n".join(re.sub(r"(?<!:)//.*", "", line) for line in path.read_text().splitlines())
        for text in re.findall(r"\"([^\"\n]*)\"|`([^`\n]*)`", code):
            said = re.sub(r"\$\{[^}]*\}", "", "".join(text))
            is_code = said in {"use strict", "notice unheard"} or re.search(r"[\[=#>]|^\.|, \.", said)
            assert is_code or not re.search(r"[a-z]{2,} [a-z]{2,}", said, re.IGNORECASE), f"{path.name}: {said}"


def test_an_installed_copy_speaks_french_too(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(SOURCE.parents[1])).build(directory=str(tmp_path), versions=["standard"])
    inside = zipfile.ZipFile(wheel).namelist()
    assert "kiosk/dashboard/translations/fr/LC_MESSAGES/messages.mo" in inside


def test_the_evening_on_one_page_has_the_words_of_the_pages() -> None:
    english, french = CHECKLIST.read_text(encoding="utf-8").split("## La soirée en une page")
    pairs = {(each.id, each.string) for each in catalogue.written() if isinstance(each.id, str)}
    named = [re.findall(r"\*([^*\n]+)\*", re.sub(r"\*\*[^*]+\*\*", "", half)) for half in (english, french)]
    assert len(named[0]) == len(named[1]) > 40
    strange = [pair for pair in zip(*named, strict=True) if pair not in pairs | {("italics", "italique")}]
    assert strange == []
