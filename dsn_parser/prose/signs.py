"""The signs by which people know a bounce: who it comes from, what it is called, and what it says first."""

from __future__ import annotations

from dsn_parser.mail import Mail
from dsn_parser.scan import any_of

OPENING_CHARACTERS = 6000

_DAEMON = any_of(
    r"mailer[-_]?daemon", r"post[-_ ]?master", r"mail ?delivery ?(?:sub)?system", r"mail\.delivery", r"delivery subsystem", r"mail administrator",
    r"system administrator", r"mail[-_ ]daemon", r"\bmmsc\b", r"microsoft outlook", r"microsoftexchange", r"mail ?server", r"mail system",
    r"bounce", r"smtp_mail_service", r"automated response", r"^\s*<?\s*>?\s*$",
)  # fmt: skip
_TITLE = any_of(
    r"undeliver", r"delivery (?:has )?(?:status|fail|notif|report|problem|error|delay|incomplete|unsuccessful)", r"(?:non-?|un)deliver", r"returned (?:e-?)?mail",
    r"mail (?:delivery|system|could|not|failure|error)", r"fail(?:ed|ure) (?:mail|notice|delivery|to deliver)", r"failure", r"returned to sender", r"return(?:ed)?:? user unknown",
    r"(?:could|can)(?: ?not|n't) (?:be )?(?:deliver|send|sent)", r"not (?:been )?delivered", r"message (?:status|delayed|you sent|.{0,40}blocked)", r"bounce", r"rejected (?:mail|message)|mail rejected",
    r"^\s*warning", r"error sending", r"delayed", r"no(?:n)? recapit", r"mail system error", r"loop alert", r"nameserver error", r"undelivrable|non remis|.chec de (?:la )?(?:remise|distribution)", r"unzustellbar|nicht zugestellt|zustellung|.bermittlung",
    r"kunde inte levereras|ej levererad|olevererbar|gick inte att leverera|kan inte levereras|leveransfel|returneras till avs.ndaren", r"ei voitu toimittaa|toimittaminen ep.onnistui|toimitusvirhe|ei toimitettu",
    r"no entregado|devuelto|no se puede entregar|impossibile recapitare|mancato recapito|onbestelbaar|niet bezorgd|uleverbar|kunne ikke leveres|n.o (?:pode|foi) .{0,12}entreg|nie dor.czono|niedostarcz",
    r"недоставлен|не доставлено|не удалось доставить|не может быть доставлен", r"配信不能|配信できません|送信できませんでした|エラー通知|未送信|配送できません|届けることができません|退信|系统退信|投递失败|無法傳遞|반송",
)  # fmt: skip
_WORDS = any_of(
    r"(?:could|can|was|were|has|have|did|is|are)(?: ?not|n't)(?: be(?:en)?)? (?:be )?(?:able to )?(?:deliver|sen[dt]|reach|forward|accept|rece?ive)",
    r"undeliver(?:able|ed)|undelivrable|unzustellbar", r"unable to (?:be )?(?:deliver|relay|send|route|forward|complete)", r"delivery to the following", r"delivery (?:attempt|problems|fail|has failed|error|status notification)",
    r"(?:had|with) (?:permanent |transient |delivery )?(?:fatal |non-fatal )?(?:errors|problems)", r"transcript of (?:the )?session", r"\b(?:was|were|has been|is) (?:automatically |been )?(?:rejected|returned|blocked|refused|bounced|discarded|not delivered|undeliverable|delayed)",
    r"has not (?:yet )?been (?:delivered|collected)", r"(?:has been|was) delayed", r"fail(?:ed)? (?:recipient|address|to deliver|permanently)|failure reason|error message below", r"recipient(?:s|\(s\))? (?:could|was|were|did|cannot|returned|rejected|failed|had)",
    r"non-?delivery (?:report|notification)", r"returned (?:mail|message|to sender)", r"permanent (?:error|failure)|given up", r"invalid (?:final|user|address|recipient)|user(?:'s)? (?:unknown|not known|mailbox is full)|unknown user|no such user", r"delivery failed|failed delivery",
    r"mailbox (?:is )?full|mailbox unavailable|over (?:disk )?quota", r"trouble delivering|problem delivering|error(?:s)? (?:has )?(?:occurred|delivering|while) ", r"duplicated message-id", r"did not reach",
    r"undeliverable|did not exactly match|no valid recipients|does not have a final email|encountered delivery problems", r"not accepted",
    r"konnte nicht (?:zugestellt|.bermittelt|an )|nicht zugestellt werden|zustellung .{0,40}fehlgeschlagen|unzustellbar", r"n.a pas pu .tre (?:remis|d.livr|achemin|envoy|distribu)|.chec de la remise|n.a pu .tre|impossible de remettre|la remise a .chou",
    r"kunde inte (?:levereras|leverera|skickas|n. fram)|kan inte levereras|gick inte att leverera|har inte (?:kunnat )?levererats|leverans(?:en)? (?:till|misslyckades)|levererades inte", r"ei voitu (?:toimittaa|l.hett..|v.litt..)|toimitus ep.onnistui|toimittaminen .{0,60}ep.onnistui|ei ole (?:viel. )?toimitettu",
    r"kunne ikke leveres|ikke leveret|non . stato possibile|impossibile (?:recapitare|consegnare)|no se (?:ha podido|pudo|puede) entregar|no ha podido ser entregado|n.o (?:pode|foi poss.vel) .{0,12}entreg|niet (?:worden )?(?:afgeleverd|bezorgd)|nie (?:mo.e|m.g.|zosta.a) .{0,12}dostarcz",
    r"не может быть доставлен|не удалось доставить|не было доставлено|недоставленн|не доставлено|отклонен", r"配信できません|送信できません|配送できません|お届けできません|送信に失敗|配信に失敗|届けることができ|エラーのため|見つかりません|メールボックスが一杯|配達できま",
    r"无法(?:投递|送达|发送)|投递失败|無法(?:傳遞|送達)|退信",
    r"\b[45]\d\d[ -]#?[45]\.\d{1,3}\.\d{1,3}\b",
)  # fmt: skip
_LATE = any_of(
    r"(?:message|mail|delivery)[^\n]{0,60}(?:has been |was |is |been )?delayed", r"\bdelay(?:ed)?\b[^\n]{0,10}\(?(?:warning|notification)", r"status notification \(delay\)|\(delay(?:ed)?\)",
    r"has not yet been delivered", r"this is a warning (?:message )?only", r"^\s*warning[-: ]+(?:could not send|message|delivery|mail)", r"notification: warning|temporary failure report|transient non-fatal",
    r"will (?:be retried|retry|keep trying|continue to try|try again)|still (?:being )?(?:retried|trying|in the queue)|delivery attempts will continue|(?:is|are) still trying", r"do(?:es)? not need to re-?send", r"could not be delivered (?:yet|for the last)",
    r"delivery incomplete|temporary problem delivering|delivery will be retried", r"verz.gert|wird weiterhin versucht|retard[ée]|est retard|f.rdr.j|f.rsenad|viiv.sty|demora|ritardo|vertraagd|forsinke", r"задерж|отложен|遅延|遅れて",
)  # fmt: skip
_GAVE_UP = any_of(
    r"(?:have|has|had|.ve|is|are) given up|giving up|gave up", r"not going to try again", r"permanent(?:ly)? (?:error|fail|fatal)|failed permanently|fatal errors", r"could not be delivered (?:to|after)", r"was not delivered (?:within|to)|delivery (?:has )?failed", r"no further (?:delivery )?attempts", r"cannot send (?:message )?(?:for|within)",
)  # fmt: skip


def is_bounce(mail: Mail, notice: str) -> bool:
    """Tell a bounce: a daemon's mail by that name, or words of failure in a mail that has another sign of one."""
    headers = mail.headers
    if headers.get("x-failed-recipients"):
        return True
    by_daemon = not headers.get("from").strip() or _DAEMON.matches(headers.text("from"))
    titled = _TITLE.matches(headers.text("subject"))
    if by_daemon and titled:
        return True
    return says_failure(notice) and (by_daemon or titled or _has_null_path(mail) or _returns_mail(mail))


def _has_null_path(mail: Mail) -> bool:
    paths = mail.headers.all("return-path")
    return bool(paths) and paths[0].strip("<> ").lower().partition("@")[0] in {"", "mailer-daemon"}


def _returns_mail(mail: Mail) -> bool:
    return any(part.is_embedded_message for part in mail.parts)


def says_failure(notice: str) -> bool:
    """Tell whether the opening of a notice speaks of mail that did not arrive."""
    return _WORDS.matches(notice[:OPENING_CHARACTERS])


def says_late(subject: str, notice: str) -> bool:
    """Tell a notice of delay from one of failure: it speaks of trying on, and not of having given up."""
    text = f"{subject}\n{notice[:OPENING_CHARACTERS]}"
    return _LATE.matches(text) and not _GAVE_UP.matches(text)
