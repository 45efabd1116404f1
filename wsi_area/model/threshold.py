"""model: by how much a threshold is moved to see what hangs on it."""

SHIFTS = {"-5%": -0.05, "used": 0.0, "+5%": 0.05}
"""Shares of a threshold, by the name that documents carry; in the order of the ledger's columns."""
