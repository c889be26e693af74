"""An event in pretix, and this machine as one of its scanning devices: a copy of its tickets, and what it is told."""
