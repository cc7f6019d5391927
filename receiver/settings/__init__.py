"""One typed, frozen Settings, read in one place: environment over YAML over defaults."""

from receiver.settings.load import load_settings
from receiver.settings.model import Secret, Settings

__all__ = ["Secret", "Settings", "load_settings"]
