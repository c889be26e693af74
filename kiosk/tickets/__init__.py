"""Codes and where they come from: our own issue, lists of others, and what is printed for a guest."""
