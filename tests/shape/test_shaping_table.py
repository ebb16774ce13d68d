"""The table of receivers as shipped."""

import pytest

from config.shaping import read_shaping
from config.vocabulary import Limits


@pytest.mark.parametrize(
    ("site", "limits"),
    [
        ("google", Limits(5, 50)),
        ("microsoft", Limits(5, 50)),
        ("yahoo", Limits(10, 20)),
        ("apple", Limits(10, 5)),
        ("gmx", Limits(4, 20)),
        ("orange", Limits(2, 100)),
    ],
)
def test_the_big_receivers_get_what_they_publish(site: str, limits: Limits) -> None:
    shape = read_shaping().find(site)
    assert shape
    assert shape.limits == limits


def test_every_site_has_its_own_name_suffixes_and_a_source() -> None:
    sites = read_shaping().sites
    suffixes = [suffix for site in sites for suffix in site.mx]
    assert len({site.name for site in sites}) == len(sites)
    assert len(set(suffixes)) == len(suffixes)
    assert all(site.mx and site.source and "." not in site.name for site in sites)
    assert all(suffix == suffix.lower().strip(".") for suffix in suffixes)


def test_the_default_is_ten_connections_of_a_hundred_mails() -> None:
    assert read_shaping().default == Limits(10, 100)
    assert read_shaping().find("nobody.example") is None
