"""The whole system, as its users see it."""
