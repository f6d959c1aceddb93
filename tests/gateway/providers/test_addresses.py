"""The check is on the way to a connection, whatever a name or number resolves to."""

import socket

import pytest

from gateway.providers.addresses import ForbiddenAddress, guarded_socket


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
