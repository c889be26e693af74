"""The evening as numbers for Prometheus, in its text exposition format 0.0.4: /metrics, for who may see the door's
pages, and for a scraper on this machine. No names, no codes.

A process that is gone has no numbers but `up 0`: an old number that looks alive is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import flask

from kiosk.dashboard import words
from kiosk.dashboard.live import Live
from kiosk.dashboard.views import Facts
from stream.health import Health, StreamState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Sample(NamedTuple):
    """One number."""

    labels: Mapping[str, str]
    value: float


class Metric(NamedTuple):
    """One question, with an answer for each set of labels."""

    name: str  # with its unit; counters end with _total
    help: str
    samples: tuple[Sample, ...]


def add_metrics(app: flask.Flask, live: Live) -> None:
    """The route."""

    @app.get("/metrics")
    def metrics() -> flask.typing.ResponseReturnValue:
        return flask.Response(as_text(of(live.now().facts)), content_type=CONTENT_TYPE)


def of(facts: Facts) -> list[Metric]:
    """What is known at one moment; metrics without a sample are left out."""
    found = [*_door(facts), *_stream(facts)]
    return [each for each in found if each.samples]


def as_text(metrics: Iterable[Metric]) -> str:
    """For a scraper."""
    lines: list[str] = []
    for metric in metrics:
        kind = "counter" if metric.name.endswith("_total") else "gauge"
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {kind}"]
        for labels, value in metric.samples:
            said = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels.items())
            lines.append(f"{metric.name}{{{said}}} {value:g}" if said else f"{metric.name} {value:g}")
    return "\n".join(lines) + "\n"


def _door(facts: Facts) -> Iterator[Metric]:
    doors = facts.news.doors
    here = [door.state for door in doors if not words.is_gone(door)]
    yield Metric(
        "platypus_door_up",
        "Whether a gate's program is there.",
        tuple(Sample({"gate": door.state.gate}, not words.is_gone(door)) for door in doors),
    )
    yield Metric(
        "platypus_door_camera_ok",
        "Whether a gate's camera gives pictures with something in them.",
        tuple(Sample({"gate": each.gate}, each.camera == "ok") for each in here),
    )
    yield Metric(
        "platypus_door_frames_per_second",
        "Pictures that a gate reads.",
        tuple(Sample({"gate": each.gate}, each.frames_per_s) for each in here),
    )
    yield Metric("platypus_ledger_up", "Whether the ledger can be read.", (Sample({}, facts.people is not None),))
    if facts.people is not None:
        count = facts.people
        for name, value, says in (
            ("inside", count.inside, "People inside now."),
            ("seats", count.capacity, "Seats of the event."),
            ("admitted", count.admitted, "Entries that were let in and stand."),
            ("refused", count.refused, "Presentations that were refused."),
            ("tickets", count.tickets, "Tickets of the event."),
        ):
            yield Metric(f"platypus_{name}", says, (Sample({}, value),))


def _stream(facts: Facts) -> Iterator[Metric]:
    heard = facts.news.stream
    is_here = heard is not None and not words.is_gone(heard)
    yield Metric("platypus_stream_up", "Whether the stream's program is there.", (Sample({}, is_here),))
    if heard is None or not is_here:
        return
    state = heard.state
    yield Metric("platypus_stream_wanted", "Whether it is to be live.", (Sample({}, state.order == "live"),))
    yield Metric("platypus_stream_alarms", "Alarms that are on.", (Sample({}, len(state.alarms)),))
    yield from _legs(state)


def _legs(state: StreamState) -> Iterator[Metric]:
    for name, says, value in (
        ("live", "Whether an output is live, or written.", lambda leg: leg.state is Health.LIVE),
        ("bits_per_second", "What an output takes, over ten seconds.", lambda leg: leg.bit_rate_kbps * 1000),
        ("waiting_bytes", "What waits for it here and in the kernel.", lambda leg: leg.queue_bytes + leg.unsent_bytes),
        ("frames_sent_total", "Pictures sent.", lambda leg: leg.frames_sent),
        ("frames_dropped_total", "Pictures left out because it was behind.", lambda leg: leg.dropped_frames),
        ("reconnects_total", "Connections begun anew.", lambda leg: leg.reconnects),
    ):
        samples = tuple(Sample({"leg": leg.name, "kind": str(leg.kind)}, value(leg)) for leg in state.legs)
        yield Metric(f"platypus_leg_{name}", says, samples)
