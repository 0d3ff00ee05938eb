"""Prompts: brand kits and templates in, one complete prompt for an image model out."""
