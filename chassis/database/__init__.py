"""One small database protocol with two adapters, so that a store is written once, in one SQL text.

SQLite is the embedded default, PostgreSQL is production. What both speak, held by `tests/conformance`:

- `$1` placeholders, RETURNING, ON CONFLICT, CTEs, UPDATE … FROM, window functions, partial indexes, CAST, LIMIT/OFFSET.
- Types TEXT, BIGINT, INTEGER, DOUBLE PRECISION, BOOLEAN, BYTEA. Select BOOLEAN columns bare: SQLite forgets the type of
  an expression.
- CAST where the type cannot be seen: `CAST($1 AS TEXT) IS NULL OR name = $1`, `CAST(SUM(size) AS BIGINT)`.
- A unique index is over plain columns, so that `UniqueViolation.columns` can name them.
- `INSERT … SELECT … ON CONFLICT` needs a WHERE before ON, which may be `WHERE TRUE`.

Not: serial columns, `::`, `= ANY`, `now()`, FOR UPDATE, SKIP LOCKED, ALTER COLUMN, MAX(a, b), LIKE (SQLite ignores
case). Ids and times come from the application; NULLs are sorted with NULLS FIRST or LAST.
"""

from chassis.database.migrations import MigrationError, migrate
from chassis.database.opening import describe_database, open_database
from chassis.database.protocol import Database, DatabaseRefused, Row, Transaction, UniqueViolation, Value

__all__ = [
    "Database",
    "DatabaseRefused",
    "MigrationError",
    "Row",
    "Transaction",
    "UniqueViolation",
    "Value",
    "describe_database",
    "migrate",
    "open_database",
]
