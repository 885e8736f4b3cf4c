"""What the front end's build relies on; the build itself runs before the browser tests."""

import json
import re

import pytest
from django.conf import settings

FOLDER = settings.BASE_DIR / "frontend"


class TestLockedPackages:
    @pytest.fixture
    def packages(self) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = json.loads((FOLDER / "package-lock.json").read_text())["packages"]
        return {name: package for name, package in found.items() if name}

    def test_can_come_from_any_registry(self, packages: dict[str, dict[str, object]]) -> None:
        assert not any("resolved" in package for package in packages.values())
        assert "omit-lockfile-registry-resolved=true" in (FOLDER / ".npmrc").read_text()

    def test_are_what_they_were(self, packages: dict[str, dict[str, object]]) -> None:
        assert all(
            str(package["integrity"]).startswith("sha512-") or package.get("inBundle") for package in packages.values()
        )

    def test_run_nothing_when_installed(self, packages: dict[str, dict[str, object]]) -> None:
        assert [name for name, package in packages.items() if package.get("hasInstallScript")] in (
            [],
            ["node_modules/fsevents"],
        )

    def test_are_asked_for_by_exact_version(self) -> None:
        wanted = json.loads((FOLDER / "package.json").read_text())
        versions = [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
