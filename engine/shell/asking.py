"""Commands that ask: what became of a mailing or a member, what an answer means, what is held and why."""

from __future__ import annotations

from typing import Annotated

import typer

from dsn_parser.explain import explain_reply
from engine.errors import InvalidInput, NotFound
from engine.mailing.explain import Explanation, explain
from engine.register import associations
from engine.register.addresses import key_of
from engine.route.mx import Unroutable, find_route
from engine.route.resolver import Resolver
from engine.shape.limits import explain_limits
from engine.shell.app import Json, Shell, app, run
from engine.shell.naming import association_named, mailing_numbered
from engine.shell.output import Row, say, show, to_json, write
from engine.store import history, operations

mailing_app = typer.Typer(help="Mailings.", no_args_is_help=True)
site_app = typer.Typer(help="Receiving sites.", no_args_is_help=True)
app.add_typer(mailing_app, name="mailing")
app.add_typer(site_app, name="site")

Address = Annotated[str, typer.Argument(help="A member's e-mail address.")]


@mailing_app.command("list")
def mailing_list(
    association: Annotated[str, typer.Option("--association", help="Only one association's, by its short name.")] = "",
    as_json: Json = False,
) -> None:
    """The newest mailings of each association, and how far they are."""
    show(run(lambda shell: _mailings(shell, association)), as_json=as_json, empty="Nothing was ever written.")


@mailing_app.command("status")
def mailing_status(
    mailing_id: Annotated[int, typer.Argument(help="Its number, as `brevduva mailing list` tells it.")],
    as_json: Json = False,
) -> None:
    """How many messages of a mailing stand where."""
    rows = run(lambda shell: _mailing_status(shell, mailing_id))
    show(rows, as_json=as_json, title=f"Mailing {mailing_id}")


@app.command("explain")
def explain_address(address: Address, as_json: Json = False) -> None:
    """Why didn't Ida get it? Everything that was sent to an address, and what became of it."""
    stories = run(lambda shell: _explain(shell, key_of(address)))
    if not stories:
        raise NotFound(f"nothing was ever sent to {address}; is it spelt as in the register?")
    if as_json:
        write(to_json([_story_row(story) for story in stories]))
        return
    for story in stories:
        _tell(story)


@app.command("explain-reply")
def explain_reply_command(
    reply: Annotated[str, typer.Argument(help='A receiver\'s answer, as in "550 5.7.1 Blocked".')],
    site: Annotated[str, typer.Option("--site", help="Whose answer it is, as in google.")] = "",
) -> None:
    """What an answer means, by which rule, and what it does to the member's address."""
    if not reply.strip():
        raise InvalidInput("reply", 'give what the receiver answered, as in "550 5.7.1 Blocked"')
    say(str(explain_reply(reply, site)))


@app.command()
def suppressions(
    address: Annotated[str, typer.Option("--address", help="Only those of one address.")] = "", as_json: Json = False
) -> None:
    """The addresses that nothing more is sent to, and why."""
    rows = run(lambda shell: _suppressions(shell, key_of(address) if address else ""))
    show(rows, as_json=as_json, empty="No address is suppressed.")


@site_app.command("list")
def site_list(as_json: Json = False) -> None:
    """The sites whose mail does not flow freely."""
    show(run(_sites), as_json=as_json, empty="Mail flows to every site.")


@site_app.command("explain")
def site_explain(domain: str, as_json: Json = False) -> None:
    """Whose exchangers a domain has, what they are given, and why."""
    show([run(lambda shell: _site(shell, domain))], as_json=as_json)


async def _mailings(shell: Shell, slug: str) -> list[Row]:
    async with shell.database.read() as connection:
        known = [await association_named(connection, slug)] if slug else await associations.listing(connection)
        found = [await history.mailings(connection, one.id) for one in known]
    return [
        {"id": one.id, "association": one.sender.association, "kind": one.kind, "subject": one.subject}
        | {"state": one.state, "messages": one.total, "waiting": one.waiting, "written": one.created_at}
        for mailings in found
        for one in mailings
    ]


async def _mailing_status(shell: Shell, mailing_id: int) -> list[Row]:
    async with shell.database.read() as connection:
        mailing = await mailing_numbered(connection, mailing_id)
    return [
        {"mailing": mailing.state, "status": status, "label": status.label, "messages": count}
        for status, count in mailing.counts.items()
    ]


async def _explain(shell: Shell, key: str) -> list[Explanation]:
    async with shell.database.read() as connection:
        sent = await history.messages_to(connection, key)
        return [await explain(connection, one.association_id, one.mailing_id, one.card_id) for one in reversed(sent)]


def _tell(story: Explanation) -> None:
    """One mailing's story, in the words of the page."""
    lines = ["", f"{story.mailing.subject} ({story.mailing.sender.association}): {story.headline}"]
    lines += [line for line in (story.means, story.advice) if line]
    for step in story.steps:
        words = f"  «{step.words}»" if step.words else ""
        lines.append(f"  {step.at:%Y-%m-%d %H:%M}  {step.title}{words}")
    say("\n".join(lines))


def _story_row(story: Explanation) -> dict[str, object]:
    steps = [{"at": step.at, "title": step.title, "words": step.words, "means": step.means} for step in story.steps]
    return {
        "mailing_id": story.mailing.id,
        "subject": story.mailing.subject,
        "status": story.message.status if story.message else None,
        "headline": story.headline,
        "means": story.means,
        "advice": story.advice,
        "steps": steps,
    }


async def _suppressions(shell: Shell, key: str) -> list[Row]:
    async with shell.database.read() as connection:
        known = await operations.suppressions(connection, address_key=key)
    return [
        {"address": one.address_key, "status": one.status, "reason": one.reason, "since": one.created_at}
        | {"reach": one.association_id or "everywhere", "evidence": one.evidence}
        for one in known
    ]


async def _sites(shell: Shell) -> list[Row]:
    async with shell.database.read() as connection:
        known = await operations.sites(connection)
    return [
        {"site": one.name, "state": one.state, "why": one.why, "since": one.opened_at, "next_probe": one.next_probe_at}
        for one in known
    ]


async def _site(shell: Shell, domain: str) -> Row:
    if shell.settings.sending.mode == "sandbox":
        raise InvalidInput("mode", 'the sandbox asks no name server; set [sending] mode = "internet" to ask DNS')
    way = await find_route(Resolver(shell.clock), domain.lower())
    if isinstance(way, Unroutable):
        return {"domain": domain, "site": "", "why": str(way.reply)}
    known = explain_limits(way.site)
    return {
        "domain": domain,
        "site": way.site,
        "hosts": ", ".join(host.name for host in way.hosts),
        "connections": known.effective.connections,
        "messages_per_connection": known.effective.messages_per_connection,
        "messages_per_minute": known.effective.messages_per_minute or "no limit",
        "source": known.source,
        "why": known.why,
    }
