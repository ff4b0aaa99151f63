from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="UserProfile",
            fields=[
                (
                    "username",
                    models.CharField(
                        max_length=11,
                        primary_key=True,
                        serialize=False,
                        verbose_name="user name",
                    ),
                ),
                ("nickname", models.CharField(max_length=30, verbose_name="nickname")),
                ("email", models.EmailField(max_length=254, verbose_name="email")),
                ("sign", models.CharField(max_length=50, verbose_name="signature")),
                ("info", models.CharField(max_length=150, verbose_name="about")),
                (
                    "score",
                    models.IntegerField(default=0, null=True, verbose_name="score"),
                ),
            ],
            options={
                "db_table": "user_profile",
            },
        ),
    ]
