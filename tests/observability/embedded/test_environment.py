from pathlib import Path

from observability.embedded import environment


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "embedded.env"
    environment.write(file, {"B": "postgres://u:p=@h/d", "A": "1"})
    assert environment.read(file) == {"A": "1", "B": "postgres://u:p=@h/d"}


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "embedded.env"
    file.touch(mode=0o644)
    environment.write(file, {"SECRET_KEY": "x"})
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_missing_file_holds_nothing(tmp_path: Path) -> None:
    assert environment.read(tmp_path / "nothing") == {}


def test_secrets_differ_each_time() -> None:
    one, other = environment.made_up(), environment.made_up()
    assert one.keys() == other.keys()
    assert all(one[name] != other[name] for name in one)
