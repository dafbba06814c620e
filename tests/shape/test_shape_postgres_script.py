"""The script that lends PostgreSQL to the tests: without a server it says so, and only who asked for one fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "postgres"


@pytest.mark.parametrize(("asked_for", "code"), [("", 0), ("1", 1)])
@pytest.mark.skipif(shutil.which("bash") is None, reason="the script is for bash")
def test_without_a_server_it_is_said(tmp_path: Path, asked_for: str, code: int) -> None:
    """On a machine that has no server and cannot get one, the skip is told; it is no pass for who needs the server."""
    text = SCRIPT.read_text(encoding="utf-8")
    for name in ("/usr/lib/postgresql/", "command -v initdb", "command -v apt-get"):
        assert name in text
        text = text.replace(name, f"{name.rstrip('/')}-nowhere{'/' if name.endswith('/') else ''}")
    copy = tmp_path / "postgres"
    copy.write_text(text, encoding="utf-8")
    environment = os.environ | {"TUANCAI_NEEDS_POSTGRES": asked_for}
    done = subprocess.run(["bash", copy, "true"], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == code
    assert "SKIPPED, no PostgreSQL" in done.stdout
