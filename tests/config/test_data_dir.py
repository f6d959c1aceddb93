"""The folder an instance keeps everything in, and the secrets made there."""

import errno
import os
import stat

import pytest

from config.data_dir import generated_secret, private_dir


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_made_for_its_owner_alone(tmp_path):
    folder = private_dir(tmp_path / "var" / "router")
    assert folder == tmp_path / "var" / "router"
    assert mode(folder) == 0o700


def test_an_existing_folder_is_used_as_it_is(tmp_path):
    (tmp_path / "kept").write_text("here")
    assert private_dir(tmp_path) == tmp_path
    assert (tmp_path / "kept").read_text() == "here"


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "secret.key"
    secret = generated_secret(path)
    assert len(secret) == 64
    assert mode(path) == 0o600
    assert generated_secret(path) == secret


def test_two_secrets_are_different(tmp_path):
    assert generated_secret(tmp_path / "a") != generated_secret(tmp_path / "b")


def test_an_operators_own_secret_is_kept(tmp_path):
    path = tmp_path / "secret.key"
    path.write_text("chosen by hand\n")
    assert generated_secret(path) == "chosen by hand"


def test_nothing_but_the_secret_is_left_in_the_folder(tmp_path):
    generated_secret(tmp_path / "secret.key")
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_processes_that_start_together_agree_on_one_secret(tmp_path):
    path = tmp_path / "secret.key"

    class Overtaken(type(path)):
        """Another process makes the secret right after this one found none."""

        def read_text(self, *args, **kwargs):
            try:
                return super().read_text(*args, **kwargs)
            except FileNotFoundError:
                path.write_text("the other process was first\n")
                raise

    assert generated_secret(Overtaken(path)) == "the other process was first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret.key"]


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(OSError, match="missing"):
        generated_secret(tmp_path / "missing" / "secret.key")


def test_a_disk_without_room_for_a_secret_leaves_nothing_in_the_folder(
    tmp_path, monkeypatch
):
    def no_room(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        generated_secret(tmp_path / "secret.key")
    assert list(tmp_path.iterdir()) == []
