"""What counts as a secret in a text, and what does not."""

import pytest

from wbme.lab.redact import redact, redact_all

HELD = "[held back]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clone https://bob:pass@host.org/a.git", "clone https://host.org/a.git"),
        ("https://abcdef123456@host.org/a", "https://host.org/a"),
        (
            "ssh://git@github.com/a/b and git@github.com:a/b",
            "ssh://git@github.com/a/b and git@github.com:a/b",
        ),
        ("mail bob@host.org about https://host.org/a", "mail bob@host.org about https://host.org/a"),
        (f"key ghp_{'a1' * 18}.", f"key {HELD}."),
        ("AKIAABCDEFGHIJKLMNOP", HELD),
        ('+api_key = "abcdefgh1234"', f'+api_key = "{HELD}"'),
        ("{'password': 'abcdefgh1234'}", f"{{'password': '{HELD}'}}"),
        ("+export DB_PASSWORD=abcdefgh1234", f"+export DB_PASSWORD={HELD}"),
        ("token = tokenize.COMMENT; key = next(words)", "token = tokenize.COMMENT; key = next(words)"),
        ('{"digest": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}',) * 2,
        ("risk-averse task-0123456789abcdefghijklmn",) * 2,
    ],
)
def test_logins_tokens_and_assigned_secrets_are_held_back(text, expected):
    assert redact(text) == expected
    assert redact(redact(text)) == expected


def test_secrets_of_the_environment_are_held_back_wherever_they_stand(monkeypatch, tmp_path):
    monkeypatch.setenv("SERVICE_TOKEN", "xy12-34567")
    monkeypatch.setenv("SOME_SECRET", "plainword")
    monkeypatch.setenv("KEY_TOKEN", str(tmp_path))
    text = redact_all({"error": ["no xy12-34567 today", 3, None], "kind": f"plainword in {tmp_path}"})
    assert text == {"error": [f"no {HELD} today", 3, None], "kind": f"plainword in {tmp_path}"}
