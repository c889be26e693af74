"""MQTT: facts out, commands in, over the local broker's unix socket.

The bus carries news, never truth: with the broker dead the door still admits and the stream still streams.
A publish while it is away is dropped (the state is said again on the next connection, see `Bus.keep`).
Callbacks run in paho's thread and only put things on queues of whoever subscribed.

    platypus/door/<gate>/state    retained, DoorState; the last will says online=false
    platypus/door/<gate>/scan     ScanNews, one a scan
    platypus/stream/state         retained, StreamState; the last will says online=false
    platypus/stream/command       a StreamCommand with a response topic; the answer is a Reply
"""
