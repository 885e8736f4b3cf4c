"""What people type on the pages of their organization and account."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from observability.tenants.members import grantable
from observability.tenants.models import Membership, Role, User


class NameForm(forms.Form):
    """The name of an organization or of a key."""

    name = forms.CharField(max_length=80)


class AccountForm(forms.Form):
    name = forms.CharField(max_length=100, required=False, help_text="Shown to your colleagues instead of your e-mail.")


class SetupForm(forms.Form):
    """The first person and their organization."""

    organization = forms.CharField(label="Organization", max_length=80, help_text="Your company or team.")
    email = forms.EmailField(
        label="Your e-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    password = forms.CharField(
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters.",
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.cleaned_data.get("email", "")))
        return password


class InviteForm(forms.Form):
    """Offers only the roles that the inviter may give."""

    email = forms.EmailField(label="E-mail", max_length=254)
    role = forms.ChoiceField()

    def __init__(self, *args: Any, inviter: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = role_field(inviter, initial=Role.MEMBER)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class SamplingForm(forms.Form):
    percent = forms.IntegerField(label="Percent of invocations", min_value=1, max_value=100)


class PauseForm(forms.Form):
    """Zero ends a pause."""

    minutes = forms.IntegerField(label="For how many minutes", min_value=0, max_value=60, initial=15)


class DeleteForm(forms.Form):
    """Confirmed by typing the organization's name."""

    confirmation = forms.CharField(max_length=80)

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed != self.expected:
            raise forms.ValidationError(f"Type {self.expected} to confirm.")
        return typed


def role_field(actor: Membership, initial: Role) -> forms.ChoiceField:
    return forms.ChoiceField(choices=[(role.value, role.label) for role in grantable(actor)], initial=initial)
