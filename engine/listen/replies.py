"""Every word the listener says; neutral, and never a word of what went wrong inside (RFC 5321 4.2, RFC 3463)."""

from __future__ import annotations

from config.vocabulary import EnhancedStatus, Reply


def _reply(code: int, enhanced: tuple[int, int, int], text: str) -> Reply:
    return Reply(code, EnhancedStatus(*enhanced), text)


GREETING_TEXT = "ESMTP"
OK = _reply(250, (2, 0, 0), "OK")
SENDER_OK = _reply(250, (2, 1, 0), "OK")
RECIPIENT_OK = _reply(250, (2, 1, 5), "OK")
KEPT = _reply(250, (2, 6, 0), "Kept")
CANNOT_VERIFY = _reply(252, (2, 5, 0), "Addresses are not verified; send the mail")
BYE = _reply(221, (2, 0, 0), "Bye")
START_TLS = _reply(220, (2, 0, 0), "Go ahead")
START_DATA = Reply(354, None, "End with <CRLF>.<CRLF>")

TOO_MANY_SESSIONS = _reply(421, (4, 7, 0), "Too many connections, come back later")
TOO_SLOW = _reply(421, (4, 4, 2), "Too slow, closing")
TOO_MANY_ERRORS = _reply(421, (4, 7, 0), "Too many errors, closing")
TOO_MANY_COMMANDS = _reply(421, (4, 7, 0), "Too many commands, closing")
NOT_A_MAIL_CLIENT = _reply(421, (4, 7, 0), "This is a mail server, closing")
SHUTTING_DOWN = _reply(421, (4, 3, 2), "Shutting down, come back later")

TROUBLE = _reply(451, (4, 3, 0), "Temporary trouble, come back later")
NO_ROOM = _reply(452, (4, 3, 1), "No room right now, come back later")
TOO_MANY_RECIPIENTS = _reply(452, (4, 5, 3), "Too many recipients")

LINE_TOO_LONG = _reply(500, (5, 5, 6), "Line too long")
BAD_LINE = _reply(500, (5, 5, 2), "Lines end with CRLF and hold no control characters")
UNKNOWN_COMMAND = _reply(500, (5, 5, 2), "Command not recognised")
BAD_ARGUMENT = _reply(501, (5, 5, 4), "Argument not understood")
NOT_OFFERED = _reply(502, (5, 5, 1), "Command not offered")
OUT_OF_ORDER = _reply(503, (5, 5, 1), "Wrong order of commands")
NOTHING_AFTER_STARTTLS = _reply(503, (5, 5, 1), "Nothing may follow STARTTLS")
NO_RECIPIENT = _reply(554, (5, 5, 1), "No valid recipient")
PARAMETER_NOT_OFFERED = _reply(555, (5, 5, 4), "Parameter not offered")

NO_SUCH_MAILBOX = _reply(550, (5, 1, 1), "No such mailbox here")
NOT_OUR_DOMAIN = _reply(550, (5, 7, 1), "Mail for that domain is not taken here")
TOO_BIG = _reply(552, (5, 3, 4), "Mail too big")
BARE_CHARACTERS = _reply(550, (5, 6, 0), "Bare CR, bare LF or NUL in the mail")
