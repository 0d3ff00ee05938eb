"""Prompts as they were when somebody last looked at them: `prompts/<asset_type>/<version>.txt`, three kits in each.

A change of a template, a word table or the engine shows here as a change of prompts. `make golden` writes the files
again; what changed is then a diff to read before it is committed.
"""
