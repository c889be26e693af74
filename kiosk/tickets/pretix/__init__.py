"""pretix as a scanning device sees it: its REST API, its answers, and what becomes of them here."""
