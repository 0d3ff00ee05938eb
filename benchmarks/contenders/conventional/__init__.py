"""The system as it is usually built: FastAPI, arq on Redis, SQLAlchemy on PostgreSQL. One process serves, one works.

It does the same things at the same address: it verifies tokens, validates bodies, checks who owns what, answers errors
in one shape, commits before it answers, and syncs pictures to disk before it says that they are there.
"""
