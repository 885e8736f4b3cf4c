"""What `manage.py check` says about the pages."""

from pathlib import Path

from pytest_django.fixtures import Settings

from observability.ui.checks import frontend_is_built


class TestFrontendCheck:
    def test_warns_until_the_front_end_is_built(self, settings: Settings, tmp_path: Path) -> None:
        settings.FRONTEND_MANIFEST = tmp_path / "manifest.json"
        assert [warning.id for warning in frontend_is_built(None)] == ["ui.W001"]
        settings.FRONTEND_MANIFEST.write_text("{}")
        assert frontend_is_built(None) == []
