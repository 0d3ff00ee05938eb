"""Programs that speak to the system from outside."""
