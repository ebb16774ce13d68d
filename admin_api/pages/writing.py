"""Nytt medlemsutskick: written, previewed for a member of the view, sent to its confirmed members."""

from __future__ import annotations

from starlette.responses import HTMLResponse

from admin_api.pages.choice import Choice, read_choice
from admin_api.pages.form import read_number
from admin_api.pages.members import current_choice
from admin_api.pages.visit import Go, Outcome, Show, Visit
from admin_api.security import PREVIEW_POLICY
from config.vocabulary import AddressStatus, BodyFormat, MailingState
from engine.errors import InvalidInput
from engine.mailing import drafts, sending
from engine.mailing.confirmations import request_confirmations
from engine.mailing.preview import preview
from engine.mailing.sending import NoConfirmedRecipient
from engine.register import cards, offices
from engine.register.cards import Card
from engine.store import history

_MEMBERS_TO_PREVIEW = 100


async def show_new(visit: Visit) -> Outcome:
    """An empty mailing; without a confirmed recipient the sender is led to the confirmation request."""
    choice = await current_choice(visit)
    counts = await _counts(visit, choice)
    if not counts.get(AddressStatus.CONFIRMED):
        return Go(visit.here(f"/bekraftelse?{choice.query}"), "ingen-bekraftad")
    return Show("write.html", await _form(visit, choice) | {"counts": counts, "mailing": None})


async def show_draft(visit: Visit) -> Outcome:
    """A draft to be changed; what has been sent can only be read."""
    choice = await current_choice(visit)
    draft = await drafts.get(visit.connection, visit.association.id, visit.id("mailing_id"))
    if draft.state is not MailingState.DRAFT and not visit.error:
        return Go(visit.here(f"/utskick/{draft.id}"))
    return Show("write.html", await _form(visit, choice) | {"counts": await _counts(visit, choice), "mailing": draft})


async def add(visit: Visit) -> Outcome:
    """Write a draft and go to its preview."""
    office_id, choice = _office_of(visit), read_choice(visit.form.query)
    draft = await drafts.create(
        visit.connection,
        visit.association.id,
        office_id,
        visit.user.id,
        subject=visit.form.text("subject"),
        body=visit.form.text("body"),
        format=_format_of(visit),
        now=visit.now,
    )
    return Go(visit.here(f"/utskick/{draft.id}/forhandsgranska?{choice.query}"))


async def change(visit: Visit) -> Outcome:
    """Write a draft anew and go to its preview."""
    choice, mailing_id = read_choice(visit.form.query), visit.id("mailing_id")
    await drafts.update(
        visit.connection,
        visit.association.id,
        mailing_id,
        subject=visit.form.text("subject"),
        body=visit.form.text("body"),
        format=_format_of(visit),
    )
    return Go(visit.here(f"/utskick/{mailing_id}/forhandsgranska?{choice.query}"))


async def remove(visit: Visit) -> Outcome:
    """Throw a draft away."""
    await drafts.remove(visit.connection, visit.association.id, visit.id("mailing_id"))
    return Go(visit.here("/medlemsutskick"), "borttaget")


async def show_preview(visit: Visit) -> Outcome:
    """The mail as a chosen member gets it, who gets it and who does not; from here it is sent."""
    choice = await current_choice(visit)
    mailing = await history.one_mailing(visit.connection, visit.association.id, visit.id("mailing_id"))
    if mailing.state is not MailingState.DRAFT:
        return Go(visit.here(f"/utskick/{mailing.id}"))
    counts, members = await _counts(visit, choice), await _confirmed(visit, choice)
    chosen = await _chosen_member(visit, members)
    values: dict[str, object] = {
        "choice": choice,
        "mailing": mailing,
        "confirmed": counts.pop(AddressStatus.CONFIRMED, 0),
        "left_out": counts.items(),
        "members": members,
        "chosen": chosen,
        "seen": None,
    }
    if chosen is not None:
        here, identity = visit.association.id, visit.services.identity
        values["seen"] = await preview(visit.connection, here, mailing.id, chosen.id, identity)
    return Show("preview.html", values)


async def show_letter(visit: Visit) -> Outcome:
    """The mail alone, for the frame of the preview: no script, no form, no picture can do anything there."""
    seen = await preview(
        visit.connection, visit.association.id, visit.id("mailing_id"), visit.id("card_id"), visit.services.identity
    )
    headers = {"Content-Security-Policy": PREVIEW_POLICY}
    return HTMLResponse(seen.html, headers=headers)


async def send(visit: Visit) -> Outcome:
    """Send the draft to the confirmed members of the choice."""
    choice, mailing_id = read_choice(visit.form.query), visit.id("mailing_id")
    counts = await sending.send(visit.connection, visit.association.id, mailing_id, choice.filter, visit.now)
    await visit.note("mailing sent", mailing=mailing_id, queued=counts.queued)
    return Go(visit.here(f"/utskick/{mailing_id}"), "skickat")


async def lead_on(visit: Visit) -> Outcome:
    """Where a mailing that could not be sent leads: to the confirmation request, or to what became of it."""
    if isinstance(visit.error, NoConfirmedRecipient):
        return Go(visit.here(f"/bekraftelse?{read_choice(visit.form.query).query}"), "ingen-bekraftad")
    return await show_preview(visit)


async def show_request(visit: Visit) -> Outcome:
    """Whom a confirmation request would go to."""
    choice = await current_choice(visit)
    counts = await _counts(visit, choice)
    values = {
        "counts": counts.items(),
        "unconfirmed": counts.get(AddressStatus.UNCONFIRMED, 0),
    }
    return Show("request.html", await _form(visit, choice) | values)


async def request(visit: Visit) -> Outcome:
    """Ask the unconfirmed members of the choice to confirm their address."""
    office_id, choice = _office_of(visit), read_choice(visit.form.query)
    counts = await request_confirmations(
        visit.connection,
        visit.association.id,
        choice.filter,
        user_id=visit.user.id,
        office_id=office_id,
        now=visit.now,
    )
    if counts.mailing_id is None:
        return Go(visit.here(f"/bekraftelse?{choice.query}"), "ingen-att-fraga")
    await visit.note("confirmation requested", mailing=counts.mailing_id, queued=counts.queued)
    return Go(visit.here(f"/utskick/{counts.mailing_id}"), "forfragan")


async def _form(visit: Visit, choice: Choice) -> dict[str, object]:
    return {
        "choice": choice,
        "offices": await offices.listing(visit.connection, visit.association.id),
        "formats": tuple(BodyFormat),
    }


async def _counts(visit: Visit, choice: Choice) -> dict[AddressStatus, int]:
    counts = await cards.count_by_status(visit.connection, visit.association.id, choice.filter)
    return {status: counts[status] for status in AddressStatus if counts.get(status)}


async def _confirmed(visit: Visit, choice: Choice) -> list[Card]:
    """Some confirmed members of the choice, to choose one from."""
    found = await cards.find(
        visit.connection,
        visit.association.id,
        choice.filter,
        choice.sort,
        statuses=[AddressStatus.CONFIRMED],
        limit=_MEMBERS_TO_PREVIEW,
    )
    return found.cards


async def _chosen_member(visit: Visit, members: list[Card]) -> Card | None:
    card_id = read_number(visit.request.query_params.get("card", ""))
    if card_id is not None:
        return await cards.get(visit.connection, visit.association.id, card_id)
    return members[0] if members else None


def _office_of(visit: Visit) -> int:
    number = visit.form.number("office")
    if number is None:
        raise InvalidInput("office_id", "choose an office")
    return number


def _format_of(visit: Visit) -> BodyFormat:
    name = visit.form.text("format")
    return BodyFormat(name) if name in set(BodyFormat) else BodyFormat.MARKDOWN
