"""How wide a failure is."""

import pytest

from config.vocabulary import Reply, Stage
from engine.deliver.attempt import Blame
from engine.deliver.blame import find_blame


@pytest.mark.parametrize(
    ("stage", "code", "blame"),
    [
        (Stage.CONNECT, 0, Blame.HOST),
        (Stage.BANNER, 421, Blame.HOST),
        (Stage.BANNER, 554, Blame.HOST),
        (Stage.HELO, 450, Blame.HOST),
        (Stage.STARTTLS, 454, Blame.HOST),
        (Stage.MAIL, 250, None),
        (Stage.MAIL, 421, Blame.SESSION),
        (Stage.MAIL, 0, Blame.SESSION),
        (Stage.MAIL, 550, Blame.MESSAGE),
        (Stage.RCPT, 450, Blame.RECIPIENT),
        (Stage.RCPT, 550, Blame.RECIPIENT),
        (Stage.RCPT, 421, Blame.SESSION),
        (Stage.DATA, 554, Blame.MESSAGE),
        (Stage.DOT, 550, Blame.MESSAGE),
        (Stage.DOT, 421, Blame.SESSION),
        (Stage.DOT, 0, Blame.SESSION),
        (Stage.DOT, 250, None),
    ],
)
def test_a_refusal_is_as_wide_as_what_was_refused(stage: Stage, code: int, blame: Blame | None) -> None:
    assert find_blame(stage, Reply(code)) is blame
