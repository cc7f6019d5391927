"""The composition root: settings become clients, store, worker and web application. Nothing else builds anything."""
