"""What CI asks of speed."""
