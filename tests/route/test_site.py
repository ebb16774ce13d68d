"""Whose exchangers they are."""

import pytest

from config.shaping import read_shaping
from engine.route.site import find_site, registrable_domain


@pytest.mark.parametrize(
    ("hosts", "site"),
    [
        (["aspmx.l.google.com"], "google"),
        (["gmail-smtp-in.l.google.com", "alt1.gmail-smtp-in.l.google.com"], "google"),
        (["aspmx2.googlemail.com"], "google"),
        (["example-org.mail.protection.outlook.com"], "microsoft"),
        (["hotmail-com.olc.protection.outlook.com"], "microsoft"),
        (["example-org.a-v1.mx.microsoft"], "microsoft"),
        (["mta5.am0.yahoodns.net"], "yahoo"),
        (["mx01.mail.icloud.com"], "apple"),
        (["mx00.gmx.net"], "gmx"),
        (["mx-ha02.web.de"], "gmx"),
        (["mxa-001.pphosted.com"], "proofpoint"),
        (["mail.notgoogle.com"], "notgoogle.com"),
        (["mx1.example.org", "mx2.example.org"], "example.org"),
        (["mx.example.co.uk"], "example.co.uk"),
        (["mx2.b.example", "mx1.a.example"], "a.example"),
        (["localhost"], "localhost"),
    ],
)
def test_a_site_is_an_operator_or_a_registered_domain(hosts: list[str], site: str) -> None:
    assert find_site(hosts) == site
    assert find_site(list(reversed(hosts))) == site


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("mx.posten.se", "posten.se"),
        ("a.b.c.example.com.au", "example.com.au"),
        ("com.au", "com.au"),
        ("mx.co.se", "mx.co.se"),
        ("mx.net.example", "net.example"),
    ],
)
def test_a_name_is_registered_under_its_public_suffix(host: str, domain: str) -> None:
    assert registrable_domain(host, read_shaping().second_level) == domain
