"""Whatever goes wrong becomes an answer: a problem document from the API, a page in Swedish from the pages."""

from __future__ import annotations

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api.endpoint import PREFIX
from admin_api.errors import Refusal, refusal_of, to_response
from admin_api.pages.failed import show_failure

_DETAILS = {
    404: "there is no such thing here",
    405: "this cannot be done here; see /openapi.json for what can",
}

log = structlog.get_logger()


class Failures:
    """Answer every exception of a handler, and write the unforeseen ones to the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def note_beginning(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, note_beginning)
        except ClientDisconnect:
            return  # nobody is left to be answered
        except Exception as error:
            if has_begun:
                raise
            await _answer(scope["path"], error)(scope, receive, send)


async def answer_http_failure(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: unknown paths and wrong methods."""
    assert isinstance(error, HTTPException)
    detail = _DETAILS.get(error.status_code, error.detail)
    return _show(request.url.path, Refusal(error.status_code, detail, headers=error.headers))


def _answer(path: str, error: Exception) -> Response:
    refusal = refusal_of(error)
    if refusal.status >= 500:
        log.error("request failed", path=path, status=refusal.status, exc_info=error)
    return _show(path, refusal)


def _show(path: str, refusal: Refusal) -> Response:
    return to_response(refusal) if path.startswith(PREFIX) else show_failure(refusal)
