"""Nothing of shared state is believed because it lies there."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.shared.seal import Seal

SEAL = Seal("secret")
SEALED = SEAL.close(["a:1", "a:2"], {"text": "é", "number": 1})


def test_a_value_is_opened_under_each_of_its_names():
    value = {"text": "é", "number": 1, "for": ["a:1", "a:2"]}
    assert SEAL.open("a:1", SEALED) == SEAL.open("a:2", SEALED) == value


def test_a_value_moved_to_another_name_or_of_another_instance_is_not_opened():
    assert SEAL.open("a:3", SEALED) is None
    assert Seal("another").open("a:1", SEALED) is None


def test_d14_a_flipped_bit_anywhere_is_noticed_and_counted():
    seal = Seal("secret")
    for position in range(len(SEALED)):
        damaged = bytearray(SEALED)
        damaged[position] ^= 1
        assert seal.open("a:1", bytes(damaged)) is None
    assert seal.broken == len(SEALED)


@pytest.mark.parametrize("version", [b"", b"llmr shared 0"])
def test_d14_a_value_of_another_version_is_not_opened(version):
    data = SEALED[16:]
    key = hashlib.sha256(b"llm-router shared" + b"secret").digest()
    digest = hashlib.blake2b(data, digest_size=16, key=key, person=version).digest()

    assert SEAL.open("a:1", digest + data) is None


@given(st.binary(max_size=200))
def test_garbage_is_never_opened(garbage):
    assert SEAL.open("a:1", garbage) is None
    assert SEAL.open("a:1", SEALED[: len(garbage)]) is None


def test_two_instances_on_one_redis_use_different_names():
    assert SEAL.name("a", b"key") != Seal("another").name("a", b"key")
    assert SEAL.name("a", b"k", b"ey") != SEAL.name("a", b"ke", b"y")
    assert SEAL.name("a", b"key") == Seal("secret").name("a", b"key")
