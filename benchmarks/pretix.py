"""Our decision beside pretix's own, in one run: a real pretix server on this machine, one scan after another.

python benchmarks/pretix.py [--tickets 300]

Ours is Ledger.admit on the copy of the event, committed to the disk; pretix's is the call that its own scanner makes
(checkinrpc/redeem). Then what the sync costs: the first copy, a round in which nothing changed, telling all scans.
Needs the environment of requirements/pretix.txt, see tests/pretix/pretix_peer.py.
"""

from __future__ import annotations

import argparse
import json
import secrets
import socket
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "pretix"))

from pretix_door import PretixDoor
from pretix_peer import Peer, peer

from kiosk.ledger.ledger import Ledger
from kiosk.pretix.sync import Phase


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=300, help="of each of two events")
    tickets = parser.parse_args().tickets
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, peer(Path(folder) / "pretix", port, tickets) as server:
        for event in ("random", "signed"):
            measure(server, event, Path(folder) / event)


def measure(server: Peer, event: str, folder: Path) -> None:
    """One event."""
    folder.mkdir()
    main_list = server.lists(event)["Main door"]
    half = len(server.numbered(event)) // 2
    ours, theirs = server.numbered(event)[:half], server.numbered(event)[half:]
    with Ledger(folder / "ledger.db") as ledger:
        door = PretixDoor(ledger, folder, server.handshake(), capacity=10_000)
        begun = time.perf_counter()
        door.choose(event, main_list)
        copied_s = time.perf_counter() - begun
        print(f"{event}: first copy of {len(ledger.tickets(door.event))} tickets {copied_s:.2f} s")
        admitted = []
        for each in ours:
            begun = time.perf_counter()
            assert door.show(each.secret).is_admitted
            admitted.append(time.perf_counter() - begun)
        link = door.links.get("evening")
        assert link is not None
        redeemed = []
        for each in theirs:
            body = {"secret": each.secret, "lists": [main_list], "nonce": secrets.token_hex(16), "type": "entry"}
            request = urllib.request.Request(  # noqa: S310  # our own server
                f"{server.url}/api/v1/organizers/venue/checkinrpc/redeem/",
                json.dumps(body).encode(),
                {"Content-Type": "application/json", "Authorization": f"Device {link.token}"},
            )
            begun = time.perf_counter()
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                assert json.load(answer)["status"] == "ok"
            redeemed.append(time.perf_counter() - begun)
        show("our decision, on the disk", admitted)
        show("pretix's redeem call", redeemed)
        print(
            f"  pretix's takes {statistics.median(redeemed) / statistics.median(admitted):.0f} times as long (medians)"
        )
        begun = time.perf_counter()
        assert door.sync() is Phase.CURRENT
        assert door.desk.sync.state().untold == 0
        told_s = time.perf_counter() - begun
        print(f"  {len(ours)} scans told, and {len(theirs)} of elsewhere taken, in {told_s:.1f} s")
        begun = time.perf_counter()
        door.sync()
        print(f"  a round in which nothing happened: {time.perf_counter() - begun:.2f} s")


def show(name: str, durations_s: list[float]) -> None:
    """Percentiles of one kind."""
    ordered = sorted(durations_s)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    rate = len(ordered) / sum(ordered)
    median = statistics.median(ordered)
    print(
        f"  {name}: median {median * 1e3:.1f} ms, p95 {p95 * 1e3:.1f} ms, max {ordered[-1] * 1e3:.1f} ms, {rate:.0f}/s"
    )


if __name__ == "__main__":
    main()
