"""Fills a test peer: python pretix_seed.py FACTS.json TICKETS DEVICES. Run inside pretix's own environment.

Two events, `random` (pretix's usual codes) and `signed` (pretix_sig1), each with the same orders, and devices that
nobody has enrolled yet.
"""

import json
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import django

django.setup()

from django.db import transaction  # noqa: E402
from django.utils.timezone import now  # noqa: E402
from django_scopes import scopes_disabled  # noqa: E402
from pretix.base.models import (  # noqa: E402
    Device,
    Event,
    Order,
    OrderPosition,
    Organizer,
    Question,
    Team,
    TeamAPIToken,
)

# what each is for -> product, state of its order
SPECIAL = {
    "unpaid": ("Standard", Order.STATUS_PENDING),
    "cancelled": ("Standard", Order.STATUS_CANCELED),
    "workshop": ("Workshop", Order.STATUS_PAID),
    "shirt": ("T-shirt", Order.STATUS_PAID),
    "asked": ("Dinner", Order.STATUS_PAID),
    "attention": ("Standard", Order.STATUS_PAID),
    **{f"spare{n}": ("Standard", Order.STATUS_PAID) for n in range(30)},
}


def seed(facts_path, tickets, devices):
    with scopes_disabled(), transaction.atomic():
        organizer = Organizer.objects.create(name="Venue", slug="venue")
        team = Team.objects.create(
            organizer=organizer,
            name="Organizers",
            all_events=True,
            all_event_permissions=True,
            all_organizer_permissions=True,
        )
        token = TeamAPIToken.objects.create(team=team, name="tests").token
        channel = organizer.sales_channels.get(identifier="web")
        events = {
            slug: event_of(organizer, channel, slug, generator, tickets)
            for slug, generator in (("random", "random"), ("signed", "pretix_sig1"))
        }
        made = [
            Device.objects.create(
                organizer=organizer, name=f"Door {n}", all_events=True, security_profile="pretixscan"
            ).initialization_token
            for n in range(devices)
        ]
    Path(facts_path).write_text(json.dumps({"token": token, "events": events, "devices": made}))


def event_of(organizer, channel, slug, generator, tickets):
    event = Event.objects.create(
        organizer=organizer,
        name=f"An evening ({slug})",
        slug=slug,
        currency="EUR",
        live=True,
        date_from=now() - timedelta(hours=1),
        date_to=now() + timedelta(hours=8),
        plugins="pretix.plugins.checkinlists",
    )
    event.settings.timezone = "Europe/Paris"
    event.settings.ticket_secret_generator = generator
    names = {"Standard": True, "Workshop": True, "T-shirt": False, "Dinner": True}
    items = {
        name: event.items.create(name=name, default_price=Decimal("10.00"), admission=is_admission)
        for name, is_admission in names.items()
    }
    event.quotas.create(name="all", size=None).items.add(*items.values())
    question = event.questions.create(
        question="Vegan?", type=Question.TYPE_STRING, required=True, ask_during_checkin=True
    )
    question.items.add(items["Dinner"])
    main = event.checkin_lists.create(name="Main door", all_products=True)
    some = event.checkin_lists.create(name="Standard only", all_products=False)
    some.limit_products.add(items["Standard"])

    def order_of(number, product, status):
        order = Order.objects.create(
            event=event,
            code=f"{slug[0].upper()}{number:05d}",
            status=status,
            email=f"guest{number}@example.org",
            locale="en",
            datetime=now(),
            expires=now() + timedelta(days=10),
            total=items[product].default_price,
            sales_channel=channel,
        )
        position = OrderPosition(
            order=order,
            item=items[product],
            price=items[product].default_price,
            positionid=1,
            attendee_name_parts={"_scheme": "full", "full_name": f"Guest {number}"},
        )
        position.save()  # gives it its code
        order.create_transactions(is_new=True, positions=[position], fees=[])
        return order.code, position.pk, position.secret

    numbered = [order_of(n, "Standard", Order.STATUS_PAID) for n in range(tickets)]
    special = {
        name: order_of(90_000 + n, product, status) for n, (name, (product, status)) in enumerate(SPECIAL.items())
    }
    order = Order.objects.get(event=event, code=special["attention"][0])
    order.checkin_attention, order.checkin_text = True, "Speaker: take to the stage"
    order.save()
    return {
        "numbered": numbered,
        "positions": special,
        "lists": {"Main door": main.pk, "Standard only": some.pk},
    }


if __name__ == "__main__":
    seed(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
