"""MQTT 5 over the local broker's unix socket: facts out, commands in.

The bus carries news, never truth: with the broker dead the door still admits and the stream still streams. What is
told while it is away is dropped; kept facts are said again on the next connection. Callbacks of paho run in its
thread and only put on queues; a command's handler runs in a worker of ours.

    platypus/door/<gate>/state    kept, DoorState; the last will says online=false
    platypus/door/<gate>/scan     ScanNews, one a scan
    platypus/stream/state         kept, StreamState; the last will says online=false
    platypus/stream/agenda        kept, AgendaNews
    platypus/stream/command       StreamCommand with a response topic; the answer is a Reply
"""

from __future__ import annotations

import logging
import math
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Self, TypeVar

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hardware.errors import PlatypusError
from hardware.worker import Worker
from kiosk.news import BusError, Reply

log = logging.getLogger(__name__)

_Message = TypeVar("_Message", bound=msgspec.Struct)
_LONGEST_BYTES = 640 * 1024  # the longest agenda (512 kB) and what is said with it; all else has some 2 kB
_COMMANDS_WAITING = 16
_LIMIT = "limit-s"
_SOONER = 0.8
_UNLIMITED_S = 10.0  # for who does not say: no press of a button waits longer


class Will(NamedTuple):
    """What the broker says for a process that is gone: kept until it is back."""

    topic: str
    message: msgspec.Struct


class Bus:
    """One process' place on the bus. Connects by itself and again; `publish` and `keep` never wait and never fail."""

    def __init__(self, socket: str, name: str, will: Will | None = None) -> None:
        self._kept: dict[str, bytes] = {}
        self._listeners: list[tuple[str, Callable[[str, bytes], None]]] = []
        self._lock = threading.Lock()
        self._answers = f"platypus/answers/{name}-{secrets.token_hex(4)}"
        self._waiting: dict[bytes, queue.Queue[Reply]] = {}
        self._workers: list[Worker] = []
        self._will = will
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{name}-{secrets.token_hex(4)}",
            transport="unix",
            protocol=mqtt.MQTTv5,
        )
        self._client.reconnect_delay_set(1, 5)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        if will is not None:
            self._client.will_set(will.topic, msgspec.json.encode(will.message), qos=1, retain=True)
        self._client.connect_async(socket, keepalive=5)
        self._client.loop_start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there now."""
        return self._client.is_connected()

    def close(self) -> None:
        """Say goodbye (the will is spoken by ourselves, a clean farewell drops it) and stop. Safe to call twice."""
        for worker in self._workers:
            worker.stop()
        if self._client.is_connected() and self._will is not None:
            told = self._client.publish(self._will.topic, msgspec.json.encode(self._will.message), qos=1, retain=True)
            try:
                told.wait_for_publish(1.0)
            except (RuntimeError, ValueError) as error:  # paho: the connection went while waiting
                log.info("bus=%s event=farewell-unheard cause=%s", self._answers, error)
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, message: msgspec.Struct) -> None:
        """Tell something once; lost when the broker is away."""
        if self._client.is_connected():
            self._client.publish(topic, msgspec.json.encode(message))

    def keep(self, topic: str, message: msgspec.Struct) -> None:
        """Tell something that stays true until told otherwise; said again whenever the broker is back."""
        payload = msgspec.json.encode(message)
        with self._lock:
            self._kept[topic] = payload
        if self._client.is_connected():
            self._client.publish(topic, payload, qos=1, retain=True)

    def listen(self, topic: str, kind: type[_Message], callback: Callable[[str, _Message], None]) -> None:
        """Call back, in paho's thread, with each message of a topic (filters allowed); others' nonsense is logged."""
        decoder = msgspec.json.Decoder(kind)

        def decode(where: str, payload: bytes) -> None:
            try:
                message = decoder.decode(payload)
            except msgspec.DecodeError as error:
                log.warning("bus event=not-understood topic=%s cause=%s", where, error)
                return
            callback(where, message)

        with self._lock:
            self._listeners.append((topic, decode))
        if self._client.is_connected():
            self._client.subscribe(topic, qos=1)

    def serve(self, topic: str, kind: type[_Message], handler: Callable[[_Message], Reply]) -> None:
        """Answer commands, one after the other, in a worker; what the handler raises becomes the answer's error."""
        waiting: queue.Queue[tuple[bytes, str, bytes, float]] = queue.Queue(_COMMANDS_WAITING)
        decoder = msgspec.json.Decoder(kind)

        def work(worker: Worker) -> None:
            while not worker.is_stopping:
                worker.tick()
                try:
                    payload, where, correlation, until_s = waiting.get(timeout=0.2)
                except queue.Empty:
                    continue
                if time.monotonic() > until_s:  # whoever asked was told that nobody answered: it must not happen now
                    log.warning("bus event=command-too-late topic=%s", topic)
                    continue
                try:
                    reply = handler(decoder.decode(payload))
                except (PlatypusError, msgspec.DecodeError) as error:
                    reply = Reply(ok=False, error=str(error))
                except Exception:
                    log.exception("bus event=command-failed topic=%s", topic)
                    reply = Reply(ok=False, error="That failed inside; the log of this process says why.")
                self._client.publish(
                    where, msgspec.json.encode(reply), qos=1, properties=_properties(None, correlation)
                )

        def take(message: mqtt.MQTTMessage) -> None:
            answer_to = getattr(message.properties, "ResponseTopic", None)
            if answer_to is None:
                log.warning("bus event=command-without-response-topic topic=%s", topic)
                return
            if len(message.payload) > _LONGEST_BYTES:
                log.warning("bus event=too-long topic=%s bytes=%d", topic, len(message.payload))
                return
            try:
                correlation = getattr(message.properties, "CorrelationData", b"")
                until_s = time.monotonic() + _limit_s(message)
                waiting.put_nowait((bytes(message.payload), str(answer_to), correlation, until_s))
            except queue.Full:
                log.warning("bus event=command-dropped topic=%s cause=too-many", topic)

        self._client.message_callback_add(topic, lambda _client, _data, message: take(message))
        with self._lock:
            self._listeners.append((topic, lambda _where, _payload: None))
        if self._client.is_connected():
            self._client.subscribe(topic, qos=1)
        worker = Worker(f"commands {topic}", work)
        worker.start()
        self._workers.append(worker)

    def ask(self, topic: str, command: msgspec.Struct, timeout_s: float) -> Reply:
        """Send a command and wait for its answer. Raises BusError when none came within `timeout_s`."""
        if not self._client.is_connected():
            raise BusError("the message broker is not there; is mosquitto running?")
        correlation = secrets.token_bytes(8)
        answer: queue.Queue[Reply] = queue.Queue(1)
        with self._lock:
            self._waiting[correlation] = answer
        try:
            self._client.publish(
                topic,
                msgspec.json.encode(command),
                qos=1,
                properties=_properties(self._answers, correlation, timeout_s),
            )
            return answer.get(timeout=timeout_s)
        except queue.Empty:
            raise BusError(f"nobody answered within {timeout_s:g} s; is that process running?") from None
        finally:
            with self._lock:
                self._waiting.pop(correlation, None)

    # -- paho's thread --------------------------------------------------------------------------------------------

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            log.error("bus event=refused cause=%s", code)
            return
        log.info("bus event=connected")
        client.subscribe(self._answers, qos=1)
        with self._lock:
            topics = [topic for topic, _ in self._listeners]
            kept = list(self._kept.items())
        for topic in topics:
            client.subscribe(topic, qos=1)
        for topic, payload in kept:
            client.publish(topic, payload, qos=1, retain=True)

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        log.log(logging.WARNING if code.is_failure else logging.INFO, "bus event=disconnected cause=%s", code)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if len(message.payload) > _LONGEST_BYTES:
            log.warning("bus event=too-long topic=%s bytes=%d", message.topic, len(message.payload))
            return
        if message.topic == self._answers:
            self._take_answer(message)
            return
        with self._lock:
            listeners = [decode for topic, decode in self._listeners if mqtt.topic_matches_sub(topic, message.topic)]
        for decode in listeners:
            decode(message.topic, bytes(message.payload))

    def _take_answer(self, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            answer = self._waiting.get(getattr(message.properties, "CorrelationData", b""))
        if answer is None:
            log.info("bus event=late-answer")
            return
        try:
            answer.put_nowait(msgspec.json.decode(message.payload, type=Reply))
        except (msgspec.DecodeError, queue.Full) as error:
            log.warning("bus event=answer-not-understood cause=%s", error)


def _properties(response_topic: str | None, correlation: bytes, timeout_s: float | None = None) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if response_topic is not None:
        properties.ResponseTopic = response_topic
    if timeout_s is not None:
        properties.MessageExpiryInterval = math.ceil(timeout_s)  # in the broker's hands
        # In those of the one who is asked: it gives up before we do, whatever the way there took.
        properties.UserProperty = (_LIMIT, f"{timeout_s * _SOONER:g}")
    properties.CorrelationData = correlation
    return properties


def _limit_s(message: mqtt.MQTTMessage) -> float:
    """For how long whoever asked waits."""
    try:
        return float(dict(getattr(message.properties, "UserProperty", ()))[_LIMIT])
    except (KeyError, ValueError):
        return _UNLIMITED_S
