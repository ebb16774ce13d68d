"""Why didn't Ida get it? The answer in plain words."""

from __future__ import annotations

from admin_api.pages import words
from config.advice import all_advice
from config.vocabulary import AddressStatus, FindingKind, MessageStatus, Reason
from engine.mailing import sending
from engine.mailing.explain import explain
from engine.outcome.apply import unsubscribe
from engine.register import cards
from engine.register.views import EVERY_CARD
from engine.store import history, suppressions
from engine.store.suppressions import Suppression
from tests.api.world import NOW, World
from tests.pages.town import build_town


def test_every_reason_has_its_advice() -> None:
    assert set(all_advice()) == set(Reason)


def test_every_status_and_finding_has_its_words() -> None:
    assert {words.tone(status) for status in MessageStatus} == {"good", "calm", "late", "bad", "mute"}
    assert {words.tone(status) for status in AddressStatus} == {"good", "calm", "bad", "mute"}
    assert all(words.finding(kind) for kind in FindingKind)


async def test_a_full_mailbox_is_told_with_consent_queue_attempt_and_cure(world_on_both: World) -> None:
    town = await build_town(world_on_both)
    async with world_on_both.database.read() as connection:
        told = await explain(connection, 1, town.mailing_id, town.ida_id)
    assert told.headline.startswith("Brevet kunde inte tas emot just nu")
    assert "full" in told.means
    assert [step.title for step in told.steps] == [
        "Medlemmen ombads bekräfta adressen",
        "Medlemmen bekräftade adressen",
        "Lades i kön",
        "Försök 1: tillfälligt studsat",
    ]
    assert told.steps[-1].words == "452 4.2.2 The email account that you tried to reach is over quota."
    assert "mx1.exempel.se, krypterat (TLSv1.3)" in told.steps[-1].detail


async def test_who_was_no_recipient_is_told_why(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.database.write() as connection:
        una = await explain(connection, club.association_id, club.mailing_id, club.unconfirmed_id)
        draft = await explain(connection, club.association_id, club.draft_id, club.card_id)
        asked = await history.one_message(connection, club.association_id, club.request_id)
        requested = await explain(connection, club.association_id, club.mailing_id, asked.card_id)
    assert "var inte bekräftad" in una.headline
    assert una.advice == "Skicka en bekräftelseförfrågan."
    assert draft.headline == "Utskicket är inte skickat ännu."
    assert "hade inte svarat" in requested.headline


async def test_an_unsubscription_and_a_blocked_address_are_told(world: World) -> None:
    club, other = await world.club("Sjövik"), await world.club("Bergby")
    async with world.database.write() as connection:
        await unsubscribe(connection, club.message_id, "page", NOW, "association")
        told = await explain(connection, club.association_id, club.mailing_id, club.card_id)
        assert told.headline == "Medlemmen vill inte få utskick."
        ida = await cards.get(connection, other.association_id, other.card_id)
        dead = Suppression(ida.address_key, None, MessageStatus.INVALID, Reason.USER_UNKNOWN, "550 no such user")
        await suppressions.suppress(connection, [dead], NOW)
        await sending.send(connection, other.association_id, other.draft_id, EVERY_CARD, NOW)
        blocked = await explain(connection, other.association_id, other.draft_id, other.card_id)
    assert "sedan tidigare en oönskad status" in blocked.headline
    assert "Ändra adressen" in blocked.advice
    assert blocked.steps[-1].title == "Blev blockerat"
