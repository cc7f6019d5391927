"""The page of one incident: everything that is known of it, as data that a template or a program can show. Pure."""
