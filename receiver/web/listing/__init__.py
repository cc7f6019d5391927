"""The incidents: as a page, as files, and as JSON for programs."""
