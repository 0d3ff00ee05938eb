"""Jobs: accepted, dispatched in fair turns, rendered, and brought to an end."""
