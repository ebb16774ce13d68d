"""Text from outside is text: names, subjects, bodies and receivers' words never become part of a page."""

from __future__ import annotations

from config.vocabulary import BodyFormat, EventKind, Fault, MessageStatus, Reason, Reply, ReportKind
from engine.mailing import drafts, sending
from engine.register import cards, offices, views
from engine.register.views import EVERY_CARD
from engine.return_path import Purpose
from engine.store import alerts, by_hand, history, messages, reports
from engine.store.messages import Move
from engine.store.reports import NewReport, ReportState
from engine.store.suppressions import Suppression
from tests.api.world import NOW, Club, World
from tests.pages.visitor import visitor

_EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>{{7*7}}"
_RUNS = ("<script", "<img src=x", "<svg onload", 'onerror=alert(2)>"', "{{49", ">49<")


async def _poison(world: World, club: Club) -> int:
    """Put hostile text wherever text is kept; returns the mailing that carries it."""
    async with world.database.write() as connection:
        here = club.association_id
        ida = await cards.get(connection, here, club.card_id)
        values = {"first_name": _EVIL[:90], "last_name": _EVIL[:90], "notes": _EVIL, "Ort": _EVIL}
        await cards.update(connection, here, ida.id, values, NOW)
        await views.create(connection, here, _EVIL[:90], NOW)
        await offices.rename(connection, here, club.office_id, _EVIL[:90])
        draft = await drafts.create(
            connection,
            here,
            club.office_id,
            club.user_id,
            subject=_EVIL,
            body=f"{_EVIL}\n\n[länk](javascript:alert(4))",
            format=BodyFormat.MARKDOWN,
            now=NOW,
        )
        await sending.send(connection, here, draft.id, EVERY_CARD, NOW)
        message = await history.message_for_card(connection, draft.id, ida.id)
        assert message is not None
        move = Move(
            message.id,
            MessageStatus.QUEUED,
            MessageStatus.BOUNCED,
            NOW,
            Reason.DISABLED,
            Fault.RECIPIENT_MAILBOX,
            reply=Reply(550, None, _EVIL),
            host=_EVIL,
            tls=_EVIL,
            kind=EventKind.ATTEMPT,
        )
        await messages.move(connection, [move])
        one = Suppression(ida.address_key, None, MessageStatus.BOUNCED, Reason.DISABLED, _EVIL)
        await by_hand.suppress_by_hand(connection, one, NOW)
        await alerts.raise_alert(connection, "breaker", _EVIL, _EVIL, NOW)
        await reports.add(
            connection,
            [NewReport(NOW, _EVIL, (_EVIL,), _EVIL, _EVIL.encode(), ReportState.UNMATCHED, ReportKind.PERSON)],
        )
        return draft.id


async def test_nothing_hostile_runs_on_any_page(world: World) -> None:
    club, operator = await world.club("Sjövik"), await world.operator()
    mailing_id = await _poison(world, club)
    here, mailing = f"/f/{club.slug}", f"/f/{club.slug}/utskick/{mailing_id}"
    paths = [
        f"{here}/medlemslista?show=first_name&show=notes&show=Ort",
        f"{here}/medlemslista?column=last_name&operator=contains&value=%3Cscript%3E",
        f"{here}/kort/{club.card_id}",
        f"{here}/medlemsutskick",
        f"{here}/bekraftelse",
        f"{here}/installningar",
        mailing,
        f"{mailing}/varfor/{club.card_id}",
        f"{mailing}/brev/{club.card_id}",
        f"{here}/utskick/{club.draft_id}/forhandsgranska?card={club.card_id}",
        f"{here}/utskick/{club.draft_id}/brev/{club.card_id}",
        "/drift",
        "/drift/returer",
        world.link(Purpose.CONFIRM, club.request_id),
    ]
    async with visitor(world, operator) as one:
        for path in paths:
            answer = await one.open(path)
            assert answer.status_code == 200, path
            assert not [run for run in _RUNS if run in answer.text], path
            assert 'href="javascript' not in answer.text, path
            assert "script-src" not in answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        raw = await one.open("/drift/returer/1")
        assert raw.headers["Content-Type"].startswith("text/plain")
        assert raw.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_letter_is_shown_only_in_a_sandbox(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        path = f"/f/{club.slug}/utskick/{club.draft_id}"
        page = await one.open(f"{path}/forhandsgranska")
        assert f'<iframe sandbox title="Brevet som Ida Idunsson får det" src="{path}/brev/{club.card_id}">' in page.text
        letter = await one.open(f"{path}/brev/{club.card_id}")
        policy = letter.headers["Content-Security-Policy"]
        assert policy.startswith("sandbox; default-src 'none'")
        assert "allow-" not in policy
