"""The pages in a real browser: Debian's headless Chromium, over its DevTools connection."""
