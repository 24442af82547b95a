"""Addresses of hosts, one way of writing them being as good as another."""

from ipaddress import IPv4Address, IPv6Address, ip_address


def address(text: str) -> IPv4Address | IPv6Address | None:
    """The address; None for what is none. Who listens at `::` sees IPv4 as a part of IPv6."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
