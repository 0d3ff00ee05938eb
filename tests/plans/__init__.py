"""How much of a large database each statement of the services reads."""
