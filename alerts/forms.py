"""What people type on the pages of alerts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms

from alerts.detectors import DETECTORS
from alerts.models import SEVERITIES, Channel, Policy
from alerts.rule import Knob
from alerts.transport import ConfigField, Transport
from alerts.tuning import limits
from observability.tenants.models import Organization

MUTES = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "forever": None}


class MuteForm(forms.Form):
    """For how long: one of ``MUTES``, or until a moment (UTC)."""

    length = forms.ChoiceField(choices=[(name, name) for name in (*MUTES, "until")])
    until = forms.DateTimeField(required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("length") == "until" and not cleaned.get("until"):
            raise forms.ValidationError("Choose the day and time when the mute ends.")
        return cleaned

    def end(self, now: datetime) -> datetime | None:
        """When the mute ends; None when only a person ends it."""
        if self.cleaned_data["length"] == "until":
            until: datetime = self.cleaned_data["until"]
            return until.astimezone(UTC)
        length = MUTES[self.cleaned_data["length"]]
        return now + length if length else None


SNOOZES = {"1w": timedelta(weeks=1), "1m": timedelta(days=30), "3m": timedelta(days=90), "1y": timedelta(days=365)}


class SnoozeForm(forms.Form):
    """Why and for how long advice is put off; ``all`` takes every open piece of the same rule with it."""

    reason = forms.CharField(max_length=300, strip=True)
    length = forms.ChoiceField(choices=[(name, name) for name in SNOOZES])
    all = forms.BooleanField(required=False)

    def end(self, now: datetime) -> datetime:
        return now + SNOOZES[self.cleaned_data["length"]]


class TuningForm(forms.Form):
    """Whether a rule or a detector is asked at all, and a number for each of its knobs."""

    enabled = forms.BooleanField(required=False, label="Look for it", help_text="Switched off, it says nothing.")

    def __init__(self, *args: Any, knobs: Sequence[Knob], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.knobs = knobs
        for knob in knobs:
            unit = f" {knob.unit}" if knob.unit else ""
            self.fields[knob.name] = forms.FloatField(
                label=f"{knob.label} ({knob.unit})" if knob.unit else knob.label,
                required=False,
                min_value=knob.least,
                max_value=knob.most,
                help_text=f"{limits(knob)} Empty for the default, {knob.default:,g}{unit}.",
                widget=forms.NumberInput(attrs={"step": "any", "placeholder": f"{knob.default:g}"}),
            )

    def told(self) -> tuple[bool, dict[str, float]]:
        """Whether it is on, and what was turned; a knob that was left empty keeps its default."""
        values = {knob.name: self.cleaned_data.get(knob.name) for knob in self.knobs}
        return self.cleaned_data["enabled"], {name: each for name, each in values.items() if each is not None}


class NoteForm(forms.Form):
    text = forms.CharField(max_length=4_000, strip=True)


class ChannelForm(forms.Form):
    """A channel's name and its transport's settings. Secrets that are left empty stay as they are."""

    name = forms.CharField(max_length=80, help_text="What your colleagues call it, such as “#prod-alerts”.")

    def __init__(
        self,
        *args: Any,
        organization: Organization,
        transport: Transport,
        channel: Channel | None = None,
        config: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.organization, self.transport, self.channel, self.config = organization, transport, channel, config or {}
        super().__init__(*args, **kwargs)
        for field in transport.fields:
            self.fields[field.name] = _field(field, editing=channel is not None)
        if channel is None:
            self.fields["tell_everything"] = forms.BooleanField(
                required=False, initial=True, label="Tell it about every incident",
                help_text="Adds it to the default policy. Policies decide in detail.",
            )  # fmt: skip

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Channel.objects.filter(organization=self.organization, name=name)
        if self.channel:
            others = others.exclude(pk=self.channel.pk)
        if others.exists():
            raise forms.ValidationError("Another channel has this name.")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        names = [field.name for field in self.transport.fields]
        if any(name in self.errors for name in names):
            return cleaned
        given = self.config | {name: cleaned.get(name) or self._kept(name) for name in names}
        try:
            self.config = self.transport.clean(given)
        except ValueError as error:
            self.add_error(names[0] if len(names) == 1 else None, str(error))
        return cleaned

    def _kept(self, name: str) -> Any:
        secret = any(field.name == name and field.kind == "secret" for field in self.transport.fields)
        return self.config.get(name, "") if secret else ""


def initial(transport: Transport, name: str, config: dict[str, Any]) -> dict[str, Any]:
    """What the form of an existing channel shows; never a secret."""
    shown: dict[str, Any] = {"name": name}
    for field in transport.fields:
        if field.kind == "emails":
            shown[field.name] = "\n".join(config.get(field.name, ()))
        elif field.kind != "secret":
            shown[field.name] = config.get(field.name, "")
    return shown


def _field(field: ConfigField, *, editing: bool) -> forms.Field:
    attributes: dict[str, Any] = {"placeholder": field.placeholder, "autocomplete": "off", "spellcheck": "false"}
    widget: forms.Widget = forms.TextInput(attrs=attributes)
    if field.kind == "emails":
        widget = forms.Textarea(attrs=attributes | {"rows": 3})
    kept = editing and field.kind == "secret"
    return forms.CharField(
        label=field.label,
        help_text="Leave it empty to keep the one in use." if kept else field.help,
        required=field.required and not kept,
        max_length=4_000,
        widget=widget,
    )


class PolicyForm(forms.ModelForm[Policy]):
    """Offers only the organization's own channels."""

    kinds = forms.MultipleChoiceField(
        label="Which problems",
        required=False,
        choices=[(detector.kind, detector.title) for detector in DETECTORS],
        widget=forms.CheckboxSelectMultiple,
        help_text="Tick none for all of them, also those that later versions find.",
    )
    channels = forms.ModelMultipleChoiceField(
        label="Tell these channels",
        queryset=Channel.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Policy
        fields = ("name", "minimum_severity", "kinds", "sensitivity", "channels", "tell_resolved", "enabled")
        labels = {
            "minimum_severity": "From which severity",
            "tell_resolved": "Also tell when it is resolved",
            "sensitivity": "Which anomalies",
        }
        help_texts = {
            "enabled": "A policy that is switched off tells nobody.",
            "sensitivity": "How far a number must be from what is usual. Charts mark what nobody is told of, too.",
        }

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["minimum_severity"] = forms.ChoiceField(
            label="From which severity",
            choices=[
                (value, f"{label} and worse" if value != "critical" else "Critical only") for value, label in SEVERITIES
            ],
        )
        self.fields["sensitivity"].required = False
        chosen = self.fields["channels"]
        assert isinstance(chosen, forms.ModelMultipleChoiceField)
        chosen.queryset = Channel.objects.filter(organization=organization).order_by("name")

    def clean_sensitivity(self) -> str:
        chosen: str = self.cleaned_data["sensitivity"]
        return chosen or self.instance.sensitivity
