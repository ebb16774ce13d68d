"""The pages that members reach by the links in their mail: confirm and unsubscribe.

To look is not to act: mail scanners and previews fetch every link. Only a form sent, or a mail provider's one-click
POST (RFC 8058), changes anything.
"""

from __future__ import annotations

from admin_api.pages.visit import Outcome, Show, Visit
from engine.errors import NotFound
from engine.mailing.confirmations import confirm, confirmation_of
from engine.outcome.apply import unsubscribe
from engine.return_path import Purpose, verify
from engine.store import history


async def show_confirmation(visit: Visit) -> Outcome:
    """What is to be confirmed, for which association, and a button."""
    asked = await confirmation_of(visit.connection, _message_of(visit, Purpose.CONFIRM))
    return Show("confirm.html", {"asked": asked, "done": None})


async def take_confirmation(visit: Visit) -> Outcome:
    """The member's click."""
    done = await confirm(visit.connection, _message_of(visit, Purpose.CONFIRM), "page", visit.now)
    return Show("confirm.html", {"asked": None, "done": done})


async def show_unsubscription(visit: Visit) -> Outcome:
    """Which association's mailings are to end, and a button."""
    about = await history.linked(visit.connection, _message_of(visit, Purpose.UNSUBSCRIBE))
    return Show("unsubscribe.html", {"about": about, "done": False})


async def take_unsubscription(visit: Visit) -> Outcome:
    """The member's click, or the mail provider's on the member's behalf."""
    message_id = _message_of(visit, Purpose.UNSUBSCRIBE)
    about = await history.linked(visit.connection, message_id)
    how = "one-click" if visit.form.text("List-Unsubscribe") == "One-Click" else "page"
    await unsubscribe(visit.connection, message_id, how, visit.now, visit.services.settings.suppression.scope)
    return Show("unsubscribe.html", {"about": about, "done": True})


def _message_of(visit: Visit, purpose: Purpose) -> int:
    """Raises NotFound for a link that we did not sign for this purpose."""
    message_id = verify(visit.services.keys.ring, purpose, visit.request.path_params["token"])
    if message_id is None:
        raise NotFound("there is no such link")
    return message_id
