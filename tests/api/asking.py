"""Ask any endpoint of the table as it wants to be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx

from admin_api.app import API
from admin_api.endpoint import Endpoint
from tests.api.world import Club

_PARAMETER = re.compile(r"\{(\w+):\w+\}")
_NEW_USER = {"name": "Ny", "email": "ny@example.org"}
_SUPPRESSION = {"email": "ida@a.example", "evidence": "bad om det"}


def name_of(endpoint: Endpoint) -> str:
    """As in `cards.create`."""
    return f"{endpoint.act.__module__.rpartition('.')[2]}.{endpoint.act.__name__}"


BY_NAME = {name_of(endpoint): endpoint for endpoint in API}


def path_of(endpoint: Endpoint, numbers: Mapping[str, object]) -> str:
    """The endpoint's path with numbers put in."""
    return _PARAMETER.sub(lambda found: str(numbers[found[1]]), endpoint.path)


async def ask(
    program: httpx.AsyncClient, endpoint: Endpoint, club: Club, numbers: Mapping[str, object]
) -> httpx.Response:
    """Ask with a body that the endpoint takes."""
    headers = {"If-Match": "*"} if endpoint.needs_version else {}
    path = path_of(endpoint, numbers)
    if endpoint.takes_upload:
        register = "Förnamn;Efternamn;E-post\nAda;Adamsson;ada@example.org\n".encode()
        return await program.request(endpoint.method, path, content=register, headers=headers)
    body = _bodies(club).get(name_of(endpoint)) if endpoint.body else None
    query = {"card_id": str(club.card_id)} if name_of(endpoint) == "mailings.preview" else {}
    return await program.request(endpoint.method, path, json=body, headers=headers, params=query)


def _bodies(club: Club) -> dict[str, object]:
    sender = {"user_id": club.user_id, "office_id": club.office_id}
    letter = {"subject": "Hej", "body": "Hej %NAME%"}
    return {
        "associations.create": {"name": "Ny förening"},
        "associations.update": {"name": "Nytt namn"},
        "offices.create": {"name": "Ny"},
        "offices.update": {"name": "Ny"},
        "users.create_secretary": _NEW_USER,
        "users.update_secretary": {"name": "Ny"},
        "users.create_operator": {"name": "Ny", "email": "drift@example.org"},
        "cards.create": {"first_name": "Ada", "email": "ada@example.org", "fields": {"Ort": "Umeå"}},
        "cards.update": {"first_name": "Ada"},
        "views.create": {"name": "Ny vy"},
        "views.replace": {"name": "Ny vy"},
        "confirmations.create": sender,
        "mailings.create": sender | letter,
        "mailings.replace": letter,
        "mailings.send": {},
        "suppressions.create": _SUPPRESSION,
        "suppressions.create_own": _SUPPRESSION,
        "keys.create": {"name": "program"},
        "webhooks.create": {"url": "http://127.0.0.1:9/krok"},
    }
