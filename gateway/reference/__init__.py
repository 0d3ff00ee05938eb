"""The API written down for people and their tools, from the descriptor set of the protos."""
