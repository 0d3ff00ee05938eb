"""Finished pictures: kept, shown to whom they belong, shared, and deleted for good."""
