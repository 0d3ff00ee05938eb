"""What is measured against each other: the system, the usual way to build it, and what no way can beat."""
