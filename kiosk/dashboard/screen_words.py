"""What the attendees' screen says, in the languages it speaks. Every language has every word: a test sees to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from kiosk.dashboard import words
from kiosk.ledger import ScanRow

Language = Literal["en", "fr"]


class Said(NamedTuple):
    """Something the screen says: very large, and what to do next."""

    title: str
    advice: str


class ScreenWords(NamedTuple):
    """One language."""

    welcome: Said
    goodbye: Said
    refusals: Mapping[str, Said]  # by reason, as in words.REFUSALS
    refused: Said  # for a reason we do not know
    idle: Said
    starting: Said
    closed: Said
    stale: str  # before a number of seconds
    watch: str  # before the stream's address
    of: str  # between people and seats
    first: Said  # how to become the first organizer

    def movement(self, row: ScanRow) -> Said:
        """What a guest at the gate is told of their own row."""
        if row.reason is not None:
            return self.refusals.get(row.reason, self.refused)
        return self.goodbye if row.kind == "exit" else self.welcome


_ENGLISH = ScreenWords(
    welcome=Said(words.ADMITTED.title, words.ADMITTED.advice),
    goodbye=Said(words.GOODBYE.title, words.GOODBYE.advice),
    refusals={reason: Said(answer.title, answer.advice) for reason, answer in words.REFUSALS.items()},
    refused=Said("Not admitted", "Please see a volunteer."),
    idle=Said("Hold your QR code 20 cm from the camera", "On a phone or on paper, either works."),
    starting=Said("One moment, please", "The camera is starting."),
    closed=Said("Please see a volunteer", "They will check you in by hand."),
    stale="This screen has no news for",
    watch="Watch from home",
    of="of",
    first=Said("Are you the organizer?", "Scan this once to choose your name and PIN."),
)

_SEE = "Adressez-vous à un bénévole."
_FRENCH = ScreenWords(
    welcome=Said("Bienvenue !", "Entrez et prenez place où vous voulez."),
    goodbye=Said("Au revoir !", "À la prochaine fois."),
    refusals={
        "invalid": Said("Code inconnu", "Montrez le QR code de votre billet, ou adressez-vous à un bénévole."),
        "unpaid": Said("Pas encore payé", "Voyez un bénévole pour régler."),
        "blocked": Said("Billet bloqué", _SEE),
        "invalid_time": Said("Pas valable à cette heure", "Vérifiez la date, ou adressez-vous à un bénévole."),
        "canceled": Said("Billet annulé", _SEE),
        "already_redeemed": Said("Déjà utilisé", _SEE),
        "product": Said("Pas pour cette entrée", _SEE),
        "rules": Said("Pas autorisé maintenant", _SEE),
        "ambiguous": Said("Arrivée ou départ ?", "Une partie du groupe est déjà là : voyez un bénévole."),
        "revoked": Said("Remplacé par un billet plus récent", "Montrez le dernier reçu, ou voyez un bénévole."),
        "unapproved": Said("Pas encore approuvé", _SEE),
        "error": Said("Vérification impossible", "Réessayez, ou adressez-vous à un bénévole."),
        "full": Said("C'est complet", "Voyez un bénévole. Vous pouvez suivre la diffusion en direct."),
    },
    refused=Said("Entrée refusée", _SEE),
    idle=Said("Présentez votre QR code à 20 cm de la caméra", "Sur un téléphone ou sur papier."),
    starting=Said("Un instant, s'il vous plaît", "La caméra démarre."),
    closed=Said("Adressez-vous à un bénévole", "Il vous enregistrera à la main."),
    stale="Cet écran est sans nouvelles depuis",
    watch="À suivre de chez vous",
    of="sur",
    first=Said("C'est vous qui organisez ?", "Scannez ce code une fois pour choisir votre nom et votre code PIN."),
)

SCREEN_WORDS: Mapping[Language, ScreenWords] = {"en": _ENGLISH, "fr": _FRENCH}
