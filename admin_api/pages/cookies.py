"""The two cookies: who is logged in, and the secret of forms that are open to everybody."""

from __future__ import annotations

from starlette.responses import Response

from admin_api.services import Services


def session_cookie(services: Services) -> str:
    return "__Host-brevduva" if services.is_https else "brevduva"


def form_cookie(services: Services) -> str:
    return f"{session_cookie(services)}-form"


def set_cookie(services: Services, response: Response, name: str, value: str) -> None:
    """A cookie that no script reads and no other site's form sends along."""
    response.set_cookie(name, value, secure=services.is_https, httponly=True, samesite="lax", path="/")
