"""The sentences of the pages that belong to no single page."""

from __future__ import annotations

from config.vocabulary import AddressStatus, FindingKind, MailingState, MessageStatus
from engine.errors import BrevduvaError, Conflict, InvalidInput
from engine.register.views import ANYWHERE

Status = MessageStatus | AddressStatus | MailingState

NOTICES = {
    "sparat": "Ändringarna är sparade.",
    "ny-adress": "Sparat. Adressen är ny, så statusen är nollställd och adressen behöver bekräftas på nytt.",
    "tillagt": "Kortet är tillagt.",
    "borttaget": "Borttaget.",
    "vy-sparad": "Vyn är sparad.",
    "vy-borttagen": "Vyn är borttagen. Korten är kvar.",
    "kontor-tillagt": "Kontoret är tillagt.",
    "skickat": "Utskicket är lagt i kö. Det tar några minuter innan det har gått ut; ladda om för att följa det.",
    "forfragan": "Bekräftelseförfrågan är lagd i kö.",
    "ingen-att-fraga": "Det finns ingen obekräftad adress att fråga i vyn.",
    "ingen-bekraftad": "Vyn har ingen bekräftad mottagare. Skicka först en bekräftelseförfrågan.",
    "pausat": "Utskicket är pausat.",
    "fortsatt": "Utskicket fortsätter.",
    "avbrutet": "Utskicket är avbrutet. Det som inte hade lämnat oss skickas inte.",
    "losenord": "Lösenordet är bytt. Logga in med det nya.",
    "utloggad": "Du är utloggad.",
    "oppnad": "Platsen är öppnad igen. Breven till den skickas så snart det går.",
    "larm-stangt": "Larmet är stängt.",
}
"""What a page says after something was done; the key stands in its address."""

COLUMNS = {
    "first_name": "Förnamn",
    "last_name": "Efternamn",
    "email": "E-post",
    "status": "E-poststatus",
    "notes": "Anteckningar",
    ANYWHERE: "Namn, adress eller anteckning",
}
"""The columns that every register has, as people call them."""

_FIELDS = {
    "email": "E-postadressen ser inte rätt ut. Skriv den som namn@exempel.se, bara en adress.",
    "first_name": "Förnamnet är för långt.",
    "last_name": "Efternamnet är för långt.",
    "notes": "Anteckningen är för lång.",
    "name": "Skriv ett namn, högst hundra tecken.",
    "taken_name": "Det finns redan en vy som heter så. Välj ett annat namn.",
    "subject": "Skriv ett ämne på en rad.",
    "body": "Skriv ett meddelande.",
    "office_id": "Välj ett kontor.",
    "file": "Filen kunde inte läsas. Spara den som CSV eller XLSX med en rubrikrad och försök igen.",
    "filter": "Filtret går inte att använda. Se över villkoren.",
    "column": "Filtret eller sorteringen nämner en kolumn som inte finns.",
    "password": "Lösenordet ska ha minst tolv tecken.",
    "password_again": "De två lösenorden är inte lika.",
    "old_password": "Det nuvarande lösenordet stämmer inte.",
}

_OF_TONE: dict[str, tuple[Status, ...]] = {
    "good": (
        MessageStatus.SENT,
        MessageStatus.OPENED,
        MessageStatus.CLICKED,
        AddressStatus.CONFIRMED,
        MailingState.FINISHED,
    ),
    "calm": (MessageStatus.QUEUED, AddressStatus.REQUESTED, MailingState.SENDING),
    "late": (MessageStatus.DEFERRED, MessageStatus.SOFT_BOUNCED, MessageStatus.UNKNOWN, MailingState.PAUSED),
    "mute": (MessageStatus.NONE, AddressStatus.UNCONFIRMED, MailingState.DRAFT, MailingState.CANCELLED),
}
_TONES = {status: tone for tone, statuses in _OF_TONE.items() for status in statuses}

_FINDINGS = {
    FindingKind.BAD_ADDRESS: "Adressen är inte rätt skriven. Den är sparad som den står, men tar inga brev.",
    FindingKind.SUSPECT: "Adressen är troligen felskriven.",
    FindingKind.NO_ADDRESS: "Ingen adress är angiven.",
    FindingKind.SHARED_ADDRESS: "En annan person i registret har samma adress.",
    FindingKind.RENAMED: "Kortet med den här adressen hade ett annat namn förut.",
    FindingKind.REPEATED: "Samma namn och adress står redan på en tidigare rad.",
    FindingKind.SHORTENED: "Texten var för lång och är avkortad.",
    FindingKind.EXTRA_CELLS: "Raden har fler fält än rubrikraden. De överflödiga står i anteckningarna.",
}

_LEFT_OUT = {
    "no_address": "Ingen adress",
    "asked_often": "Redan tillfrågad tre gånger i dag",
    "blocked": "Spärrad adress",
    "invalid": "Felaktig adress",
}

_REFUSALS = {
    400: ("Det gick inte att läsa", "Gå tillbaka och försök igen."),
    403: ("Det får du inte", "Sidan är för gammal eller hör till någon annan. Öppna den på nytt."),
    404: ("Sidan finns inte", "Den kan vara borttagen, eller höra till någon annan."),
    409: ("Det går inte nu", "Något har ändrats under tiden. Öppna sidan på nytt och se hur det står."),
    413: ("För stort", "Filen eller texten är större än vad som tas emot."),
    422: ("Det går inte att använda", "Gå tillbaka och se över det du skrev."),
    429: ("För många försök", "Vänta en kvart och försök igen."),
    507: ("Disken är full", "Inget ändrades. Säg till den som sköter driften."),
}
_ACCIDENT = ("Något gick fel hos oss", "Inget ändrades. Försök igen om en stund.")


def refusal(error: BrevduvaError) -> str:
    """What a form says of what could not be taken."""
    if isinstance(error, InvalidInput):
        return _FIELDS.get(error.field, "Det som står här går inte att använda. Se över det.")
    if isinstance(error, Conflict):
        return "Någon annan har ändrat under tiden, eller så går det inte just nu. Se hur det står och försök igen."
    return _ACCIDENT[1]


def of_status(status: int) -> tuple[str, str]:
    """Title and sentence of a page that could not be shown."""
    return _REFUSALS.get(status, _ACCIDENT)


def column(name: str) -> str:
    """What a column is called: the association's own ones as the association calls them."""
    return COLUMNS.get(name, name)


def tone(status: Status) -> str:
    """Which of the five colours a status has."""
    return _TONES.get(status, "bad")


def finding(kind: FindingKind) -> str:
    """What a person should look at in an imported row."""
    return _FINDINGS[kind]


def address_status(name: str) -> str:
    """The label of an address status that is kept as text; other text stands as it is."""
    return AddressStatus(name).label if name in set(AddressStatus) else name


def warning(text: str) -> str:
    """What the preview warns of: a placeholder that is none."""
    return f"{text.partition(' ')[0]} är ingen platshållare och kommer att stå så i brevet."


def left_out(reason: str) -> str:
    """Why a card of the view got no mail."""
    return _LEFT_OUT.get(reason) or address_status(reason)
