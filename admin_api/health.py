"""Whether the service lives, whether it can work, and figures of both for Prometheus."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api.services import Services
from config.vocabulary import MessageStatus
from engine.store import history, operations
from engine.store.database import Connection


@dataclass(frozen=True)
class Figures:
    """What is measured; nothing in it names a member or an association."""

    registry: CollectorRegistry
    messages: Gauge
    reports: Gauge
    closed_sites: Gauge
    alerts: Gauge
    heard: Gauge
    requests: Histogram

    @classmethod
    def make(cls) -> Figures:
        registry = CollectorRegistry()
        return cls(
            registry,
            Gauge("brevduva_messages", "Messages by status", ["status"], registry=registry),
            Gauge("brevduva_reports", "Returned mails by state", ["state"], registry=registry),
            Gauge("brevduva_sites_stopped", "Receiving sites that no mail flows to", registry=registry),
            Gauge("brevduva_alerts_open", "Alerts that nobody has closed", registry=registry),
            Gauge(
                "brevduva_node_seen_timestamp", "When a process was last heard of", ["node", "role"], registry=registry
            ),
            Histogram("brevduva_http_seconds", "Time to answer", ["method", "status"], registry=registry),
        )


@dataclass
class Health:
    """The three endpoints that need no key."""

    services: Services
    figures: Figures = field(default_factory=Figures.make)

    async def alive(self, request: Request) -> Response:
        """The process answers."""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """The database answers too, and its schema is there."""
        try:
            async with self.services.database.read() as connection:
                await operations.nodes(connection)
        except Exception:
            return JSONResponse({"ready": False, "database": "does not answer"}, 503)
        return JSONResponse({"ready": True, "database": "ok"})

    async def metrics(self, request: Request) -> Response:
        """The figures as Prometheus reads them."""
        async with self.services.database.read() as connection:
            await self._read(connection)
        return Response(generate_latest(self.figures.registry), media_type=CONTENT_TYPE_LATEST)

    async def _read(self, connection: Connection) -> None:
        counts = await history.count_messages(connection)
        for status in MessageStatus:
            self.figures.messages.labels(status.value).set(counts.get(status, 0))
        for state, count in (await operations.count_reports(connection)).items():
            self.figures.reports.labels(state).set(count)
        self.figures.closed_sites.set(sum(site.state != "closed" for site in await operations.sites(connection)))
        self.figures.alerts.set(len(await operations.alerts(connection, limit=1000)))
        self.figures.heard.clear()
        for node in await operations.nodes(connection):
            self.figures.heard.labels(node.name, node.role).set(node.seen_at.timestamp())


class Stopwatch:
    """Measure how long every answer takes."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self.app = app
        self.requests = figures.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def note_status(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        finally:
            method = (
                scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"
            )
            self.requests.labels(method, str(status)).observe(time.perf_counter() - began)
