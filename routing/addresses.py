"""Which addresses the gateway may connect to (the SSRF rules)."""

import ipaddress
import socket
import unicodedata

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


def literal(host: str) -> str:
    """The IP address that `host` writes out, in whatever spelling; "" for a name."""
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".")
    try:
        return str(ipaddress.ip_address(plain.split("%")[0]))
    except ValueError:
        pass
    try:
        # 2852039166, 0xa9fea9fe and 0251.0376.43518 all lead to one place.
        return socket.inet_ntoa(socket.inet_aton(plain))
    except OSError:
        return ""


def refusal_of_host(host: str, *, allow_private: bool) -> str:
    """As `refusal`, of what a URL names. A name is judged when it is connected to."""
    address = literal(host)
    return refusal(address, allow_private=allow_private) if address else ""
