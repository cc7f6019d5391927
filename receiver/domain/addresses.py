"""What a host's name says, without asking anybody."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def is_loopback(host: str) -> bool:
    """Whether a host, without its port, is this machine alone: an address of it or `localhost`, no name that looks like one."""
    name = host.removeprefix("[").removesuffix("]")
    if name.lower() == "localhost":
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return any(address in network for network in _LOOPBACK)
