"""Addresses out of words: found in a line, freed from wrappings (RFC 3461 4, 6533 3, X.400), unfolded from VERP."""

from __future__ import annotations

from dsn_parser.scan import Pattern

ADDRESS_LIMIT_CHARACTERS = 320

# Japanese and Chinese set no space before an address, so their characters end one; letters of Europe may belong to it.
_ADDRESS = Pattern(r"""(?:"[^"@\n]+"|[A-Za-z\x{C0}-\x{52F}0-9!#$%&'*+/=?^_`{|}~.\-]+)@[A-Za-z\x{C0}-\x{52F}0-9_.\-]+""")
_ANY_ADDRESS = Pattern(r"[^\s<>()\[\],;:\"@]+@[^\s<>()\[\],;:\"'@]+")
_X400_NAMES = ("dd.rfc-822=", "dd.rfc822=", "dd.smtp=", "smtp=", "rfc-822=", "rfc822=", "internet=")


def find_addresses(text: str) -> list[str]:
    """Return the mail addresses in a text, in order, as they stand there but for punctuation around them."""
    if "(a)" in text and "=" in text:  # X.400 has no @
        text = text.replace("(a)", "@").replace("/", " ")
    if "@" not in text:
        return []
    found = [tidy for word in _ADDRESS.find_all(text) if (tidy := _trim(word))]
    return found or [tidy for word in _ANY_ADDRESS.find_all(text) if (tidy := _trim(word))]


def _trim(word: str) -> str:
    local, _, domain = word.rpartition("@")
    local, domain = local.lstrip(".'`=*|~"), domain.strip(".-_'`")
    for name in _X400_NAMES:
        if local.lower().startswith(name):
            local = local[len(name) :]
    is_link = local.startswith(("/", "?")) or "//" in local
    is_too_long = len(local) + len(domain) >= ADDRESS_LIMIT_CHARACTERS
    return f"{local}@{domain}" if local and domain and not is_link and not is_too_long else ""


def read_address(value: str) -> str:
    """Read the address of a report field such as `rfc822; <ida@example.org>`; "" where it holds none."""
    kind, semicolon, address = value.rpartition(";")
    address = (address if semicolon else value).strip().strip("<>'\" ")
    if kind.strip().lower() == "utf-8":
        address = _decode_unitext(address)
    return _decode_xtext(_from_x400(_without_route(address)))[:ADDRESS_LIMIT_CHARACTERS]


def is_address(text: str) -> bool:
    """Tell whether a text is a whole address with a domain that could be on the internet."""
    local, _, domain = text.rpartition("@")
    return bool(local) and "." in domain.strip(".") and not any(mark in text for mark in " ,;<>\n\t|")


def _without_route(address: str) -> str:
    """`@a,@b:ida@example.org` names a route that nobody goes any more (RFC 5321 C)."""
    return address.rpartition(":")[2].strip("<>") if address.startswith("@") else address


def _from_x400(address: str) -> str:
    """`/DD.RFC-822=ida(a)example.org/C=SE` and `c=SE;dda:SMTP=ida@example.org` carry the internet address inside."""
    if "=" not in address or "(a)" not in address.lower():
        inner = find_addresses(address) if address.startswith(("/", "c=", "C=")) else []
        return inner[0] if inner else address
    for piece in address.split("/"):
        name, _, inner_address = piece.partition("=")
        if "822" in name or "smtp" in name.lower():
            return inner_address.replace("(a)", "@").replace("(A)", "@").replace("(u)", "_").replace("(U)", "_")
    return address


def _decode_xtext(address: str) -> str:
    """Only the characters that xtext must hide are brought back, so `ida+22@example.org` stays (RFC 3461 4)."""
    plain = address.replace("+3D", "=").replace("+2B", "+")
    return plain.replace("+40", "@") if "@" not in plain else plain


def _decode_unitext(address: str) -> str:
    r"""`\x{E5}sa@example.org` is `åsa@example.org` (RFC 6533 3)."""
    first, *escaped = address.split("\\x{")
    return first + "".join(_character(piece) for piece in escaped)


def _character(piece: str) -> str:
    digits, brace, rest = piece.partition("}")
    try:
        return chr(int(digits[:6], 16)) + rest if brace else piece
    except (ValueError, OverflowError):
        return rest


def recipient_of_verp(return_path: str) -> str:
    """The recipient folded into a foreign return path, `list-bounces+ida=example.org@host`; "" where there is none."""
    local = return_path.rpartition("@")[0]
    name, equals, domain = local.rpartition("=")
    for separator in ("+", "--", "-"):
        if separator in name:
            name = name.partition(separator)[2]
            break
    candidate = f"{name}@{domain}"
    return candidate if equals and is_address(candidate) and find_addresses(candidate) == [candidate] else ""
