"""Which addresses may be connected to: a corpus, and that the check is on the way."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.addresses import ForbiddenAddress, guarded_socket, refusal

NEVER = [
    "169.254.169.254",  # metadata of AWS, Azure, GCP and more
    "169.254.0.1",
    "169.254.170.2",  # ECS task credentials
    "100.100.100.200",  # Alibaba
    "192.0.0.192",  # Oracle
    "168.63.129.16",  # Azure's wire server
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "2002:a9fe:a9fe::1",  # 6to4
    "64:ff9b::169.254.169.254",  # NAT64
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "::169.254.169.254",  # IPv4-compatible
    "::ffff:0:169.254.169.254",  # IPv4-translated
    "2001:0:4136:e378:8000:63bf:5601:5601",  # Teredo
    "::ffff:100.100.100.200",
    "64:ff9b::6464:64c8",
    "0.0.0.0",
    "::",
    "::ffff:0.0.0.0",
    "2002::",
    "224.0.0.1",
    "239.255.255.250",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "::ffff:255.255.255.255",
    "fec0::1",
]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "::1",
    "fd00::1",
    "fdff:ffff::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::1",
    "2002:c0a8:1::1",
    "64:ff9b::7f00:1",
    "64:ff9b::192.168.0.1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "192.167.255.255",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "2002:101:101::1",
    "64:ff9b::1.1.1.1",
]


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_allowed(address):
    assert refusal(address, allow_private=True)
    assert refusal(address, allow_private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_allowed_unless_shut_off(address):
    assert refusal(address, allow_private=True) == ""
    assert "LLM_ROUTER_PRIVATE_UPSTREAMS" in refusal(address, allow_private=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address):
    assert refusal(address, allow_private=True) == ""
    assert refusal(address, allow_private=False) == ""


@given(st.ip_addresses(v=4))
def test_an_address_in_disguise_is_judged_as_itself(address):
    number = int(address)
    disguises = [
        ipaddress.IPv6Address(0xFFFF << 32 | number),
        ipaddress.IPv6Address(0x2002 << 112 | number << 80 | 1),
        ipaddress.IPv6Address(0x64FF9B << 96 | number),
    ]
    for allow_private in (True, False):
        plain = refusal(str(address), allow_private=allow_private)
        for disguise in disguises:
            assert refusal(str(disguise), allow_private=allow_private) == plain


@given(st.ip_addresses(network="169.254.0.0/16") | st.ip_addresses(network="fe80::/10"))
def test_no_link_local_address_passes(address):
    assert refusal(str(address), allow_private=True)


@given(st.ip_addresses())
def test_shutting_private_networks_off_never_allows_more(address):
    if refusal(str(address), allow_private=True):
        assert refusal(str(address), allow_private=False)


# --- on the way to a connection ---------------------------------------------------


def resolved(host):
    return socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)[0]


@pytest.mark.parametrize(
    "host",
    [
        "2852039166",  # 169.254.169.254 as one number
        "0xa9fea9fe",
        "0xa9.0xfe.0xa9.0xfe",
        "0251.0376.0251.0376",
        "169.16689662",
        "[::ffff:169.254.169.254]".strip("[]"),
    ],
)
def test_however_it_is_spelled_the_metadata_service_gets_no_socket(host):
    with pytest.raises(ForbiddenAddress, match="never allowed"):
        guarded_socket(resolved(host), allow_private=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_however_it_is_spelled_loopback_is_shut_off_when_private_is(host):
    with pytest.raises(ForbiddenAddress, match="LLM_ROUTER_PRIVATE_UPSTREAMS"):
        guarded_socket(resolved(host), allow_private=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_allowed_address_gets_a_socket_that_never_blocks(host):
    with guarded_socket(resolved(host), allow_private=True) as made:
        assert made.getblocking() is False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        assert made.family == family


def test_the_refusal_does_not_tell_the_address():
    with pytest.raises(ForbiddenAddress) as error:
        guarded_socket(resolved("169.254.169.254"), allow_private=True)
    assert "169" not in str(error.value)
    assert isinstance(error.value, OSError)
