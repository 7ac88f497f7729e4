"""The network address of the client of a request, for all that counts by address."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """Return the address of the client that sent a request."""
    return client_address(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""))


def client_address(peer: str, forwarded_for: str) -> str:
    """Return the client's address: `peer` is whoever connected, `forwarded_for` the header X-Forwarded-For.

    Each proxy adds whom it heard from at the end, so only as many entries are believed as there are proxies of ours.
    An IPv6 address stands for its /64, which is what one customer gets.
    """
    hops = [*(hop.strip() for hop in forwarded_for.split(",") if hop.strip()), peer]
    client = hops[max(0, len(hops) - 1 - settings.TRUSTED_PROXIES)]
    try:
        address = ip_address(client)
    except ValueError:
        return client[:64]
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))
    return str(address)
