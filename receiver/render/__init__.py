"""Report and incident in, messages out. Pure: the jinja2 environment is handed in ready."""
