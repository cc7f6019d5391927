"""What runs beside the web threads: the dispatcher (stored alerts become messages) and the sender (messages arrive)."""
