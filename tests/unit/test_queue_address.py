"""A NATS url, taken apart."""

import pytest

from chassis.queue.address import Address


def test_credentials_are_decoded_and_kept_from_the_servers() -> None:
    address = Address.parse("nats://studio:p%40ss%2Fw%3Ard@nats.internal:4222")

    assert address == Address(("nats://nats.internal:4222",), user="studio", password="p@ss/w:rd")


def test_several_servers_share_the_credentials_that_are_given() -> None:
    address = Address.parse("tls://a:4222, tls://studio:secret@b:4222")

    assert address == Address(("tls://a:4222", "tls://b:4222"), user="studio", password="secret")


def test_a_user_without_a_password_is_a_token() -> None:
    assert Address.parse("nats://t0ken@a:4222") == Address(("nats://a:4222",), token="t0ken")


def test_no_credentials_are_none() -> None:
    assert Address.parse("nats://[::1]:4222") == Address(("nats://[::1]:4222",))


@pytest.mark.parametrize("text", [str, repr])
def test_an_address_in_a_log_shows_no_secret(text: type[str]) -> None:
    shown = [text(Address.parse(url)) for url in ("nats://studio:secret@a:4222", "nats://secret@a:4222")]

    assert all("secret" not in each and "a:4222" in each for each in shown)


@pytest.mark.parametrize(
    "url", ["", "localhost:4222", "http://a:4222", "nats://", "nats://a:4222,", "nats://u:secret@"]
)
def test_what_is_no_nats_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="looks like") as refusal:
        Address.parse(url)

    assert "secret" not in str(refusal.value)
