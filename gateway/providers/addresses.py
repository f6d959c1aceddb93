"""Which addresses the gateway may connect to (the SSRF rules)."""

import ipaddress
import socket

from aiohttp import AddrInfoType

NAT64 = ipaddress.ip_network("64:ff9b::/96")
OBSOLETE = (ipaddress.ip_network("fec0::/10"), ipaddress.ip_network("2001::/32"))
METADATA = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)


class ForbiddenAddress(OSError):
    """An operator's address leads where the gateway must never connect."""


def refusal(address: str, *, allow_private: bool) -> str:
    """Why `address` (an IP in text) must not be connected to, or an empty string.

    Link-local addresses, which hold every cloud's metadata service, and addresses that
    are no single host are always refused; loopback and private networks only when
    the deployment says so. Mapped and translated IPv4 is judged as the IPv4 it is.
    """
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return refusal(str(ip.ipv4_mapped), allow_private=allow_private)
        if ip.sixtofour:
            return refusal(str(ip.sixtofour), allow_private=allow_private)
        if ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
            return refusal(str(inner), allow_private=allow_private)
    if ip.is_link_local or ip in METADATA:
        return "link-local and metadata addresses are never allowed"
    if ip.is_multicast or ip.is_unspecified or (ip.is_reserved and not ip.is_loopback):
        return "this is not the address of a host"
    if any(ip in network for network in OBSOLETE):
        return "site-local and Teredo addresses are never allowed"
    if not ip.is_global and not allow_private:
        return "private addresses are shut off (LLM_ROUTER_PRIVATE_UPSTREAMS=deny)"
    return ""


def guarded_socket(info: AddrInfoType, *, allow_private: bool) -> socket.socket:
    """A socket for the resolved `info`, unless it is forbidden.

    Called with the address that is about to be connected, after name resolution: a
    name that resolves differently the next time is checked the next time.
    """
    family, kind, protocol, _, sockaddr = info
    if reason := refusal(str(sockaddr[0]), allow_private=allow_private):
        raise ForbiddenAddress(f"The upstream's address is forbidden: {reason}.")
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    return made
