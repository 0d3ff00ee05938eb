"""Brand kits against a plain model: whatever users do, in whatever order, both tell the same story."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from chassis.database import migrate, open_database
from chassis.errors import ServiceError
from services.prompt.domain import (
    BrandKit,
    BrandKitChanges,
    BrandKitLimitReached,
    BrandKitNotFound,
    Fonts,
    NewBrandKit,
    NotBrandKitOwner,
    Tone,
)
from services.prompt.store import DatabaseBrandKits
from services.prompt.usecases import BrandKits
from services.prompt.wiring import MIGRATIONS
from tests.brand_kits import NOON, NoUploads, a_user

T = TypeVar("T")
SHORT = settings(max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TOKEN = "a token, which nobody asks for"
NOBODYS = "00000000-0000-4000-8000-000000000000"

color = st.sampled_from(["#FF0055", "#00E5FF", "#1A1A2E", "#FFFFFF"])
primary = st.lists(color, min_size=1, max_size=5).map(tuple)
accent = st.lists(color, max_size=3).map(tuple)
text = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20)
address = st.sampled_from(["", "https://example.com/1", "https://example.com/2"])
drafts = st.builds(
    NewBrandKit,
    name=text,
    primary_colors=primary,
    accent_colors=accent,
    fonts=st.builds(Fonts, text, text),
    logo_url=address,
    tone=st.sampled_from(Tone),
    style_reference=text,
)
updates = st.builds(
    BrandKitChanges,
    name=st.none() | text,
    primary_colors=st.none() | primary,
    accent_colors=st.none() | accent,
    headline_font=st.none() | text,
    body_font=st.none() | text,
    logo_url=st.none() | address,
    tone=st.none() | st.sampled_from(Tone),
    style_reference=st.none() | st.just("") | text,
)


@dataclass(slots=True)
class Model:
    """What users believe they have, in the order in which they made it."""

    kits: dict[str, BrandKit] = field(default_factory=dict)

    def of(self, user_id: str) -> list[BrandKit]:
        return [kit for kit in reversed(self.kits.values()) if kit.user_id == user_id]

    def refusal(self, user_id: str, brand_kit_id: str) -> type[ServiceError] | None:
        kit = self.kits.get(brand_kit_id)
        if kit is None:
            return BrandKitNotFound
        return None if kit.user_id == user_id else NotBrandKitOwner


class BrandKitMachine(RuleBasedStateMachine):
    """Two users at once, on a database that other runs share."""

    ids = Bundle("ids")

    def __init__(self, runner: asyncio.Runner, brand_kits: DatabaseBrandKits) -> None:
        super().__init__()
        self.runner = runner
        self.time = NOON
        self.brand_kits = BrandKits(brand_kits, NoUploads(), self.clock)
        self.users = [a_user(), a_user()]
        self.model = Model()

    def clock(self) -> datetime:
        self.time += timedelta(microseconds=1)
        return self.time

    def outcome(self, call: Coroutine[Any, Any, T]) -> T | type[ServiceError]:
        try:
            return self.runner.run(call)
        except ServiceError as error:
            return type(error)

    @rule(target=ids, user=st.sampled_from([0, 1]), new=drafts)
    def create(self, user: int, new: NewBrandKit) -> Any:
        user_id = self.users[user]

        created = self.outcome(self.brand_kits.create_brand_kit(user_id, TOKEN, new))

        if len(self.model.of(user_id)) == 10:
            assert created is BrandKitLimitReached
            return multiple()
        assert isinstance(created, BrandKit)
        assert not created.is_active
        self.model.kits[created.id] = created
        return created.id

    @rule(user=st.sampled_from([0, 1]), brand_kit_id=ids | st.just(NOBODYS), changes=updates)
    def update(self, user: int, brand_kit_id: str, changes: BrandKitChanges) -> None:
        user_id = self.users[user]

        updated = self.outcome(self.brand_kits.update_brand_kit(user_id, TOKEN, brand_kit_id, changes))

        if refusal := self.model.refusal(user_id, brand_kit_id):
            assert updated is refusal
            return
        before = self.model.kits[brand_kit_id]
        self.model.kits[brand_kit_id] = replace(_changed(before, changes), updated_at=self.time)
        assert updated == self.model.kits[brand_kit_id]

    @rule(user=st.sampled_from([0, 1]), brand_kit_id=ids | st.just(NOBODYS))
    def activate(self, user: int, brand_kit_id: str) -> None:
        user_id = self.users[user]

        activated = self.outcome(self.brand_kits.activate_brand_kit(user_id, brand_kit_id))

        if refusal := self.model.refusal(user_id, brand_kit_id):
            assert activated is refusal
            return
        for kit in self.model.of(user_id):
            if kit.is_active or kit.id == brand_kit_id:
                self.model.kits[kit.id] = replace(kit, is_active=kit.id == brand_kit_id, updated_at=self.time)
        assert activated == self.model.kits[brand_kit_id]

    @rule(user=st.sampled_from([0, 1]), brand_kit_id=ids | st.just(NOBODYS))
    def delete(self, user: int, brand_kit_id: str) -> None:
        user_id = self.users[user]

        deleted = self.outcome(self.brand_kits.delete_brand_kit(user_id, brand_kit_id))

        assert deleted is self.model.refusal(user_id, brand_kit_id)
        if deleted is None:
            del self.model.kits[brand_kit_id]

    @rule(user=st.sampled_from([0, 1]), brand_kit_id=ids | st.just(NOBODYS))
    def get(self, user: int, brand_kit_id: str) -> None:
        user_id = self.users[user]

        got = self.outcome(self.brand_kits.get_brand_kit(user_id, brand_kit_id))

        assert got == (self.model.refusal(user_id, brand_kit_id) or self.model.kits[brand_kit_id])

    @invariant()
    def everybody_has_what_they_believe_they_have(self) -> None:
        for user_id in self.users:
            expected = self.model.of(user_id)
            active = [kit for kit in expected if kit.is_active]
            assert self.outcome(self.brand_kits.list_brand_kits(user_id)) == expected
            assert self.outcome(self.brand_kits.get_active_brand_kit(user_id)) == (active[0] if active else None)
            assert len(active) <= 1


def _changed(kit: BrandKit, changes: BrandKitChanges) -> BrandKit:
    given = {each.name: value for each in fields(changes) if (value := getattr(changes, each.name)) is not None}
    fonts = Fonts(given.pop("headline_font", kit.fonts.headline), given.pop("body_font", kit.fonts.body))
    if "logo_url" in given:
        given["logo_url"] = given["logo_url"] or None
    return replace(kit, fonts=fonts, **given)


def test_brand_kits_agree_with_a_plain_model(database_url: str, schema: str) -> None:
    with asyncio.Runner() as runner:
        database = runner.run(open_database(database_url, schema=schema))
        try:
            runner.run(migrate(database, MIGRATIONS))
            run_state_machine_as_test(
                partial(BrandKitMachine, runner, DatabaseBrandKits(database)),  # type: ignore[arg-type]  # a factory will do
                settings=SHORT,
            )
        finally:
            runner.run(database.close())
