"""The dashboard: pages for the organizer's phone, and the screen that attendees see at the door."""
