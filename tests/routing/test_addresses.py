"""Which addresses may be connected to: a corpus."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.addresses import refusal, refusal_of_host

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
SPELLINGS = [
    "169.254.169.254.",
    "2852039166",
    "0xA9FEA9FE",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "::ffff:169.254.169.254",
    "fe80::1%25eth0",
    "\uff11\uff16\uff19.254.169.254",
    "169\u3002254\u3002169\u3002254",
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


@pytest.mark.parametrize("host", SPELLINGS)
def test_however_a_url_writes_the_metadata_service_out_it_is_refused(host):
    assert "never allowed" in refusal_of_host(host, allow_private=True)


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0177.0.0.1", "::1", "10.1"])
def test_however_a_url_writes_a_private_address_out_it_can_be_shut_off(host):
    assert refusal_of_host(host, allow_private=True) == ""
    assert "LLM_ROUTER_PRIVATE_UPSTREAMS" in refusal_of_host(host, allow_private=False)


@pytest.mark.parametrize(
    "host", ["api.example.com", "169.254.169.254.example.com", "localhost", "1.1.1.1"]
)
def test_a_name_is_judged_when_it_is_connected_to(host):
    assert refusal_of_host(host, allow_private=False) == ""
