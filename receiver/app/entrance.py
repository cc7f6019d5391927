"""Who may see the pages, from the settings."""

from __future__ import annotations

from receiver.errors import StoreError
from receiver.settings.model import Settings
from receiver.store import ended_sessions
from receiver.store.store import Store
from receiver.web.entrance import Entrance, EntranceConfig


def make_entrance(settings: Settings, store: Store) -> Entrance:
    """The entrance of a receiver."""

    def is_ended(session_id: str) -> bool:
        try:
            with store.read() as tx:
                return ended_sessions.is_ended(tx, session_id)
        except StoreError:
            return True  # nobody knows: whoever has the token logs in again

    config = EntranceConfig(
        admin_token=settings.admin_token.reveal(), read_token=settings.read_token.reveal(), is_loopback=settings.is_loopback,
        public_url=settings.public_url, proxies=settings.trusted_proxies, user_header=settings.proxy_user_header,
        proxy_role=settings.proxy_access, is_http_allowed=settings.login_over_http == "yes",
    )  # fmt: skip
    return Entrance(config, clock=store.now, is_ended=is_ended)
