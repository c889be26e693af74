"""The appliance: the door, its ledger and tickets, the dashboard, and the processes that compose them."""
