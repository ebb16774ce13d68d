"""The web application: the API's route table, and everything around it put together."""

from __future__ import annotations

from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from admin_api import (
    alerts,
    associations,
    cards,
    confirmations,
    convertors,
    imports,
    keys,
    mailings,
    messages,
    offices,
    openapi,
    reports,
    sites,
    suppressions,
    users,
    views,
    webhooks,
)
from admin_api.endpoint import Access, Endpoint
from admin_api.failures import Failures, answer_http_failure
from admin_api.health import Health, Stopwatch
from admin_api.pages.table import PAGES
from admin_api.security import Guard
from admin_api.services import Services
from config.settings import Settings
from engine.clock import Clock
from engine.keys import Keys
from engine.store.database import Database

INSTALLATION = Access.INSTALLATION
ONE = "/associations/{association_id:number}"
MAILING = ONE + "/mailings/{mailing_id:number}"

API = (
    Endpoint("GET", "/associations", associations.list_all, Access.ANY),
    Endpoint("POST", "/associations", associations.create, INSTALLATION, 201, once=True),
    Endpoint("GET", ONE, associations.get),
    Endpoint("PATCH", ONE, associations.update),
    Endpoint("DELETE", ONE, associations.remove, INSTALLATION),
    Endpoint("GET", ONE + "/offices", offices.list_all),
    Endpoint("POST", ONE + "/offices", offices.create, status=201, once=True),
    Endpoint("GET", ONE + "/offices/{office_id:number}", offices.get),
    Endpoint("PATCH", ONE + "/offices/{office_id:number}", offices.update),
    Endpoint("DELETE", ONE + "/offices/{office_id:number}", offices.remove),
    Endpoint("GET", ONE + "/users", users.list_secretaries),
    Endpoint("POST", ONE + "/users", users.create_secretary, status=201, once=True),
    Endpoint("GET", ONE + "/users/{user_id:number}", users.get_secretary),
    Endpoint("PATCH", ONE + "/users/{user_id:number}", users.update_secretary),
    Endpoint("DELETE", ONE + "/users/{user_id:number}", users.remove_secretary),
    Endpoint("GET", "/operators", users.list_operators, INSTALLATION),
    Endpoint("POST", "/operators", users.create_operator, INSTALLATION, 201, once=True),
    Endpoint("GET", ONE + "/cards", cards.list_all),
    Endpoint("POST", ONE + "/cards", cards.create, status=201, once=True),
    Endpoint("GET", ONE + "/cards/{card_id:number}", cards.get),
    Endpoint("PATCH", ONE + "/cards/{card_id:number}", cards.update, needs_version=True),
    Endpoint("DELETE", ONE + "/cards/{card_id:number}", cards.remove),
    Endpoint("POST", ONE + "/imports", imports.create, once=True),
    Endpoint("GET", ONE + "/views", views.list_all),
    Endpoint("POST", ONE + "/views", views.create, status=201, once=True),
    Endpoint("GET", ONE + "/views/{view_id:number}", views.get),
    Endpoint("PUT", ONE + "/views/{view_id:number}", views.replace),
    Endpoint("DELETE", ONE + "/views/{view_id:number}", views.remove),
    Endpoint("POST", ONE + "/confirmation-requests", confirmations.create, status=202, once=True),
    Endpoint("GET", ONE + "/mailings", mailings.list_all),
    Endpoint("POST", ONE + "/mailings", mailings.create, status=201, once=True),
    Endpoint("GET", MAILING, mailings.get),
    Endpoint("PUT", MAILING, mailings.replace),
    Endpoint("DELETE", MAILING, mailings.remove),
    Endpoint("GET", MAILING + "/preview", mailings.preview),
    Endpoint("POST", MAILING + "/send", mailings.send, status=202, once=True),
    Endpoint("POST", MAILING + "/pause", mailings.pause),
    Endpoint("POST", MAILING + "/resume", mailings.resume, once=True),
    Endpoint("POST", MAILING + "/cancel", mailings.cancel),
    Endpoint("GET", MAILING + "/messages", mailings.list_messages),
    Endpoint("GET", ONE + "/messages/{message_id:number}", messages.get),
    Endpoint("GET", ONE + "/suppressions", suppressions.list_own),
    Endpoint("POST", ONE + "/suppressions", suppressions.create_own, status=201, once=True),
    Endpoint("DELETE", ONE + "/suppressions/{suppression_id:number}", suppressions.lift_own),
    Endpoint("GET", ONE + "/webhooks", webhooks.list_all),
    Endpoint("POST", ONE + "/webhooks", webhooks.create, status=201),
    Endpoint("DELETE", ONE + "/webhooks/{webhook_id:number}", webhooks.remove),
    Endpoint("POST", ONE + "/webhooks/{webhook_id:number}/test", webhooks.test, asks_strangers=True),
    Endpoint("GET", "/suppressions", suppressions.list_all, INSTALLATION),
    Endpoint("POST", "/suppressions", suppressions.create, INSTALLATION, 201, once=True),
    Endpoint("DELETE", "/suppressions/{suppression_id:number}", suppressions.lift, INSTALLATION),
    Endpoint("GET", "/reports", reports.list_all, INSTALLATION),
    Endpoint("GET", "/reports/{report_id:number}", reports.get, INSTALLATION),
    Endpoint("GET", "/sites", sites.list_all, INSTALLATION),
    Endpoint("POST", "/sites/{name:site}/resume", sites.resume, INSTALLATION, once=True),
    Endpoint("GET", "/alerts", alerts.list_all, INSTALLATION),
    Endpoint("POST", "/alerts/{alert_id:number}/close", alerts.close, INSTALLATION),
    Endpoint("GET", "/api-keys", keys.list_all, INSTALLATION),
    Endpoint("POST", "/api-keys", keys.create, INSTALLATION, 201),
    Endpoint("DELETE", "/api-keys/{key_id:number}", keys.revoke, INSTALLATION),
)
"""Every endpoint of the API below /api/v1: method, path, what answers, whose key opens it."""


def create_app(settings: Settings, database: Database, clock: Clock, keys: Keys) -> Starlette:
    """Put the application together; it neither opens nor closes what it is given."""
    convertors.register_all()
    services = Services(settings, database, clock, keys)
    health = Health(services)
    return Starlette(
        routes=_routes(services, health),
        middleware=[
            Middleware(Stopwatch, figures=health.figures),
            Middleware(Guard, services=services),
            Middleware(Failures),
        ],
        exception_handlers={HTTPException: answer_http_failure},
    )


def _routes(services: Services, health: Health) -> list[BaseRoute]:
    document = orjson.dumps(openapi.describe(API, services.base_url))

    async def show_openapi(_: Request) -> Response:
        return Response(document, media_type="application/json")

    return [
        Route("/healthz", health.alive),
        Route("/readyz", health.ready),
        Route("/metrics", health.metrics),
        Route("/openapi.json", show_openapi),
        Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
        *(endpoint.route(services) for endpoint in API),
        *(page.route(services) for page in PAGES),
    ]
