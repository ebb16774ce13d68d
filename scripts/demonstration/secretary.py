"""Does what an association's secretary does, through the API: founds, imports, asks, mails, corrects."""

from __future__ import annotations

from typing import Any

import httpx

from engine.sandbox.people import Association
from engine.sandbox.registers import Register

SUBJECT = "%FIRST_NAME%, välkommen på vårfest"
BODY = """Hej %NAME%!

Den **första maj** är det vårfest hos oss. Ta med någon du tycker om.

* Klockan 14: kaffe och våfflor
* Klockan 16: årsmöte

Välkommen, %FIRST_NAME%!
"""


class Secretary:
    """One association's user over HTTP; raises httpx.HTTPStatusError where the API refuses."""

    def __init__(self, client: httpx.AsyncClient, association: Association) -> None:
        self._client, self._association = client, association
        self.association_id = 0
        self.mailing_id = 0
        self._sender: dict[str, int] = {}

    async def found(self, password: str | None = None) -> None:
        """Found the association with its offices and its user."""
        about = self._association
        self.association_id = (await self._post("/associations", name=about.name, slug=about.slug))["id"]
        offices = [await self._post(f"{self._path}/offices", name=name) for name in about.offices]
        login = {"password": password} if password else {}
        user = await self._post(f"{self._path}/users", name=about.user, email=about.user_email, **login)
        self._sender = {"office_id": offices[0]["id"], "user_id": user["id"]}

    async def import_register(self, register: Register) -> dict[str, int]:
        """Import a file and return how often each outcome and finding stands in the report."""
        report = await self._send("POST", f"{self._path}/imports", content=register.data)
        counts: dict[str, int] = report["counts"]
        return {kind: count for kind, count in counts.items() if count}

    async def ask(self) -> int:
        """Ask everyone who is unconfirmed to confirm; return how many that is."""
        queued: int = (await self._post(f"{self._path}/confirmation-requests", **self._sender))["queued"]
        return queued

    async def mail(self) -> int:
        """Mail everyone who has confirmed; return how many that is."""
        draft = await self._post(f"{self._path}/mailings", subject=SUBJECT, body=BODY, **self._sender)
        self.mailing_id = draft["id"]
        try:
            queued: int = (await self._post(f"{self._path}/mailings/{self.mailing_id}/send"))["queued"]
        except httpx.HTTPStatusError as refused:
            if refused.response.status_code != httpx.codes.CONFLICT:
                raise
            return 0  # nobody has confirmed: the draft stays, and a secretary would ask first
        return queued

    async def correct(self, domain: str, right: str) -> int:
        """Correct every address at a mistyped domain; return how many cards that changed."""
        wrong = f'[{{"column": "email", "operator": "contains", "value": "@{domain}"}}]'
        found = await self._send("GET", f"{self._path}/cards", params={"filter": wrong, "limit": 500})
        for card in found["items"]:
            await self._correct_one(card, f"{card['email'].rpartition('@')[0]}@{right}")
        return len(found["items"])

    async def _correct_one(self, card: dict[str, Any], email: str) -> None:
        version = {"If-Match": f'"{card["version"]}"'}
        await self._send("PATCH", f"{self._path}/cards/{card['id']}", json={"email": email}, headers=version)

    @property
    def _path(self) -> str:
        return f"/associations/{self.association_id}"

    async def _post(self, path: str, **body: object) -> dict[str, Any]:
        return await self._send("POST", path, json=body)

    async def _send(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = await self._client.request(method, path, **options)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer
