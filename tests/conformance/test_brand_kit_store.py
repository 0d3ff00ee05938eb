"""What BrandKitStore promises, on either database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.database import Database
from services.prompt.domain import (
    MAX_BRAND_KITS,
    BrandKit,
    BrandKitChanges,
    BrandKitLimitReached,
    BrandKitNotFound,
    Fonts,
    NotBrandKitOwner,
    Tone,
)
from services.prompt.ports import BrandKitStore
from services.prompt.store import DatabaseBrandKits
from services.prompt.wiring import MIGRATIONS
from tests.brand_kits import NOON, a_brand_kit, a_user

LATER = NOON + timedelta(microseconds=1)
NOBODYS = "00000000-0000-4000-8000-000000000000"

Call = Callable[[BrandKitStore, str, str], Awaitable[object]]


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS


@pytest.fixture
def store(database: Database) -> BrandKitStore:
    return DatabaseBrandKits(database)


async def some_kits(store: BrandKitStore, user_id: str, count: int) -> list[BrandKit]:
    kits = [a_brand_kit(user_id=user_id, created_at=NOON + timedelta(microseconds=n)) for n in range(count)]
    for kit in kits:
        await store.add(kit)
    return kits


@pytest.mark.parametrize(
    "kit",
    [
        a_brand_kit(),
        a_brand_kit(logo_url=None, accent_colors=(), style_reference=""),
        a_brand_kit(name="Ünïcødé 🎮", fonts=Fonts(" Fredoka One ", "'; DROP TABLE"), tone=Tone.COMEDIC),
        a_brand_kit(extracted_from="https://example.com", created_at=NOON + timedelta(microseconds=123456)),
    ],
)
async def test_a_kit_is_read_as_it_was_added(store: BrandKitStore, kit: BrandKit) -> None:
    await store.add(kit)

    assert await store.get(kit.id) == kit
    assert await store.of_user(kit.user_id) == [kit]


async def test_a_kit_nobody_added_is_not_found(store: BrandKitStore) -> None:
    with pytest.raises(BrandKitNotFound) as caught:
        await store.get(NOBODYS)

    assert caught.value.metadata == {"brand_kit_id": NOBODYS}


async def test_a_users_kits_come_newest_first_and_nobody_elses_with_them(store: BrandKitStore) -> None:
    kits = await some_kits(store, a_user(), 3)
    await store.add(a_brand_kit())

    assert await store.of_user(kits[0].user_id) == kits[::-1]
    assert await store.of_user(a_user()) == []


async def test_twenty_racing_additions_leave_ten_kits(store: BrandKitStore) -> None:
    user_id = a_user()

    answers = await asyncio.gather(
        *(store.add(a_brand_kit(user_id=user_id)) for _ in range(20)), return_exceptions=True
    )

    assert len(await store.of_user(user_id)) == MAX_BRAND_KITS == 10
    assert [type(answer) for answer in answers if answer is not None] == [BrandKitLimitReached] * 10


async def test_a_deleted_kit_makes_room_for_another(store: BrandKitStore) -> None:
    kits = await some_kits(store, a_user(), MAX_BRAND_KITS)
    await store.delete(kits[0].user_id, kits[0].id)

    await store.add(a_brand_kit(user_id=kits[0].user_id))

    assert len(await store.of_user(kits[0].user_id)) == MAX_BRAND_KITS


async def test_one_users_limit_is_not_anothers(store: BrandKitStore) -> None:
    await some_kits(store, a_user(), MAX_BRAND_KITS)
    kit = a_brand_kit()

    await store.add(kit)

    assert await store.get(kit.id) == kit


async def test_activating_a_kit_ends_the_one_before(store: BrandKitStore) -> None:
    first, second = await some_kits(store, a_user(), 2)
    assert await store.active(first.user_id) is None
    await store.activate(first.user_id, first.id, NOON)

    activated = await store.activate(second.user_id, second.id, LATER)

    assert activated == replace(second, is_active=True, updated_at=LATER)
    assert await store.active(first.user_id) == activated
    assert await store.get(first.id) == replace(first, updated_at=LATER)


async def test_twenty_racing_activations_leave_one_kit_active(store: BrandKitStore) -> None:
    kits = await some_kits(store, a_user(), 5)
    await store.activate(kits[0].user_id, kits[0].id, NOON)

    answers = await asyncio.gather(*(store.activate(kit.user_id, kit.id, LATER) for kit in kits * 4))

    left = [kit for kit in await store.of_user(kits[0].user_id) if kit.is_active]
    assert len(left) == 1
    assert await store.active(kits[0].user_id) == left[0]
    assert all(answer.is_active for answer in answers)


async def test_activating_for_one_user_leaves_the_others(store: BrandKitStore) -> None:
    (mine,), (theirs,) = await some_kits(store, a_user(), 1), await some_kits(store, a_user(), 1)
    await store.activate(theirs.user_id, theirs.id, NOON)

    await store.activate(mine.user_id, mine.id, NOON)

    assert await store.active(theirs.user_id) == replace(theirs, is_active=True)


async def test_deleting_the_active_kit_leaves_none_active(store: BrandKitStore) -> None:
    first, second = await some_kits(store, a_user(), 2)
    await store.activate(first.user_id, first.id, NOON)

    await store.delete(first.user_id, first.id)

    assert await store.active(first.user_id) is None
    assert await store.of_user(first.user_id) == [second]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (BrandKitChanges(), {}),
        (BrandKitChanges(name="Other"), {"name": "Other"}),
        (BrandKitChanges(primary_colors=("#000000",)), {"primary_colors": ("#000000",)}),
        (BrandKitChanges(accent_colors=()), {"accent_colors": ()}),
        (BrandKitChanges(headline_font="Fredoka"), {"fonts": Fonts("Fredoka", "Inter")}),
        (BrandKitChanges(body_font="Manrope"), {"fonts": Fonts("Montserrat", "Manrope")}),
        (BrandKitChanges(logo_url=""), {"logo_url": None}),
        (BrandKitChanges(logo_url="https://example.com/2"), {"logo_url": "https://example.com/2"}),
        (BrandKitChanges(tone=Tone.CASUAL), {"tone": Tone.CASUAL}),
        (BrandKitChanges(style_reference=""), {"style_reference": ""}),
    ],
    ids=lambda value: repr(value) if isinstance(value, dict) else "",
)
async def test_a_change_sets_what_it_names_and_nothing_else(
    store: BrandKitStore, changes: BrandKitChanges, expected: dict[str, object]
) -> None:
    kit = a_brand_kit()
    await store.add(kit)

    changed = await store.change(kit.user_id, kit.id, changes, LATER)

    assert changed == replace(kit, updated_at=LATER, **expected)  # type: ignore[arg-type]
    assert await store.get(kit.id) == changed


async def test_racing_changes_to_different_fields_all_survive(store: BrandKitStore) -> None:
    kit = a_brand_kit()
    await store.add(kit)
    changes = [
        BrandKitChanges(name="Other"),
        BrandKitChanges(primary_colors=("#000000",)),
        BrandKitChanges(accent_colors=()),
        BrandKitChanges(headline_font="Fredoka"),
        BrandKitChanges(body_font="Manrope"),
        BrandKitChanges(tone=Tone.CASUAL),
    ]

    await asyncio.gather(
        store.activate(kit.user_id, kit.id, LATER),
        *(store.change(kit.user_id, kit.id, change, LATER) for change in changes),
    )

    assert await store.get(kit.id) == replace(
        kit,
        name="Other",
        is_active=True,
        primary_colors=("#000000",),
        accent_colors=(),
        fonts=Fonts("Fredoka", "Manrope"),
        tone=Tone.CASUAL,
        updated_at=LATER,
    )


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(
            lambda store, user, kit: store.change(user, kit, BrandKitChanges(name="Mine"), LATER), id="change"
        ),
        pytest.param(lambda store, user, kit: store.delete(user, kit), id="delete"),
        pytest.param(lambda store, user, kit: store.activate(user, kit, LATER), id="activate"),
    ],
)
async def test_a_strangers_kit_is_refused_and_left_alone(store: BrandKitStore, call: Call) -> None:
    (theirs,), (mine,) = await some_kits(store, a_user(), 1), await some_kits(store, a_user(), 1)
    active = await store.activate(mine.user_id, mine.id, NOON)

    with pytest.raises(NotBrandKitOwner) as strangers:
        await call(store, mine.user_id, theirs.id)
    with pytest.raises(BrandKitNotFound) as nobodys:
        await call(store, mine.user_id, NOBODYS)

    assert strangers.value.metadata == {"brand_kit_id": theirs.id}
    assert nobodys.value.metadata == {"brand_kit_id": NOBODYS}
    assert await store.get(theirs.id) == theirs
    assert await store.active(mine.user_id) == active


async def test_a_kit_deleted_while_it_is_activated_is_not_left_active(store: BrandKitStore) -> None:
    kit, other = await some_kits(store, a_user(), 2)
    await store.activate(other.user_id, other.id, NOON)

    activated, _ = await asyncio.gather(
        store.activate(kit.user_id, kit.id, LATER), store.delete(kit.user_id, kit.id), return_exceptions=True
    )

    left = await store.active(kit.user_id)
    assert left is None if isinstance(activated, BrandKit) else left is not None and left.id == other.id
