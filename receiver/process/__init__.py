"""The process on its machine: its memory, its threads, its folder. Nothing here knows what the receiver is for."""
