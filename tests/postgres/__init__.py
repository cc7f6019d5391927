"""A real PostgreSQL server, and what is tested with one."""
