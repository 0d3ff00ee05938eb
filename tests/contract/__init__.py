"""What is true on the wire."""
