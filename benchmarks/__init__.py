"""What the system costs: time, memory and processor, measured on the real thing."""
