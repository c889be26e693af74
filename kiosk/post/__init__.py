"""Tickets by e-mail: letters, the mail server that takes them, and the round that sends them all."""
