"""The OpenAPI file: it is what is served, and what is served is as it says."""

from __future__ import annotations

import json

from api_stage import Program
from dashboard_house import House

from kiosk.dashboard.api.openapi import FILE, document
from kiosk.dashboard.api.routes import ROUTES


def test_the_file_is_what_is_served(house: House) -> None:
    served = Program(house, "viewer").get("/openapi.json").data
    assert FILE.read_bytes() == served + b"\n", "python -m kiosk.dashboard.api.openapi writes it anew"


def test_every_route_is_in_it_with_the_role_it_needs() -> None:
    told = json.loads(document())
    operations = {each["operationId"]: each for path in told["paths"].values() for each in path.values()}
    assert set(operations) == {route.name for route in ROUTES}
    assert "role organizer" in operations["stream_stop"]["description"]
    assert "role viewer" in operations["evening"]["description"]


def test_every_reference_leads_somewhere() -> None:
    told = json.loads(document())
    text = document().decode()
    for kind in ("schemas", "responses"):
        for name in told["components"][kind]:
            assert f"#/components/{kind}/{name}" in text, name
