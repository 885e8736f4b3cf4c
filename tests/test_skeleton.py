from observability.tenants.models import Organization, User


class TestCast:
    def test_alice_owns_acme(self, acme: Organization, alice: User) -> None:
        assert acme.memberships.get().user == alice
