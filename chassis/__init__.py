"""What every service is bolted onto; it knows no word of the domain."""
