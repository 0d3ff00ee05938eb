"""A signed link opens one path until a moment, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.storage.domain import LinkRefused, new_key
from services.storage.links import Signer

SECRET = b"files-secret-for-tests-0123456789abcd"
SIGNER = Signer(SECRET)
NOW = 1_767_268_800
keys = st.builds(new_key, is_public=st.just(False))
lifetimes = st.integers(1, 86_400)
alphabet = st.sampled_from("0123456789.-_abcXYZ=+/\n é")


def opens(key: str, token: str, now: float = NOW, signer: Signer = SIGNER) -> bool:
    try:
        signer.seconds_left(key, token, now)
    except LinkRefused:
        return False
    return True


@given(key=keys, lifetime=lifetimes)
def test_a_token_opens_its_path_until_it_expires(key: str, lifetime: int) -> None:
    token = SIGNER.sign(key, NOW + lifetime)

    assert SIGNER.seconds_left(key, token, NOW) == lifetime
    assert opens(key, token, NOW + lifetime - 0.001)
    assert not opens(key, token, NOW + lifetime)
    assert not opens(key, token, NOW + lifetime + 1)


@given(key=keys, lifetime=lifetimes, data=st.data())
def test_a_token_with_any_character_changed_opens_nothing(key: str, lifetime: int, data: st.DataObject) -> None:
    token = SIGNER.sign(key, NOW + lifetime)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(alphabet.filter(lambda character: character != token[place]))

    assert not opens(key, token[:place] + other + token[place + 1 :])


@given(key=keys, lifetime=lifetimes, data=st.data())
def test_a_token_with_anything_added_or_left_out_opens_nothing(key: str, lifetime: int, data: st.DataObject) -> None:
    token = SIGNER.sign(key, NOW + lifetime)
    place = data.draw(st.integers(0, len(token)))

    assert not opens(key, token[:place] + data.draw(alphabet) + token[place:])
    assert not opens(key, token[:place] + token[place + 1 :]) or place == len(token)


@given(key=keys, other=keys, lifetime=lifetimes)
def test_a_token_for_another_path_opens_nothing(key: str, other: str, lifetime: int) -> None:
    assert not opens(other, SIGNER.sign(key, NOW + lifetime))


@given(key=keys, lifetime=lifetimes, longer=lifetimes)
def test_a_token_cannot_be_given_a_longer_life(key: str, lifetime: int, longer: int) -> None:
    _, _, signature = SIGNER.sign(key, NOW + lifetime).partition(".")

    assert not opens(key, f"{NOW + lifetime + longer}.{signature}")


@given(key=keys, lifetime=lifetimes)
def test_a_token_of_another_secret_opens_nothing(key: str, lifetime: int) -> None:
    assert not opens(key, Signer(SECRET + b"!").sign(key, NOW + lifetime))


@given(key=st.text(), token=st.text())
def test_what_somebody_makes_up_opens_nothing(key: str, token: str) -> None:
    assert not opens(key, token)


def test_links_survive_a_restart() -> None:
    key = new_key(is_public=False)

    assert opens(key, Signer(SECRET).sign(key, NOW + 1), signer=Signer(SECRET))


@pytest.mark.parametrize("is_public", [True, False])
def test_keys_are_unguessable_and_of_few_characters(is_public: bool) -> None:
    made = {new_key(is_public=is_public) for _ in range(1000)}

    assert len(made) == 1000
    for key in made:
        side, _, name = key.partition("/")
        assert side == ("public" if is_public else "private")
        assert len(bytes.fromhex(name)) == 16
