from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_watching_and_advice")]

    operations = [
        migrations.AddField(model_name="tuning", name="changed_at", field=models.DateTimeField(null=True)),
    ]
