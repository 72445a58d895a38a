"""What README names is there."""

import re
from pathlib import Path

from wbme.lab import report

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def test_links_lead_to_files():
    paths = set(re.findall(r"\]\(((?!https?:|#)[^)\s]+)\)", TEXT))
    assert len(paths) > 30
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_files_and_chains_in_commands_are_there():
    named = set(re.findall(r"(?:reports|experiments)/[\w/.-]+\w", TEXT))
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    chains = set(re.findall(r"wbme report (\w+)", TEXT))
    assert chains
    assert chains <= set(report.chains())
