from django.db import migrations

# Accounts made before had a first password that a store's owner was shown, so nobody knows whose they are: they keep
# their memberships, and their owners prove the address by a link before anything else (T6). Operators were made at the
# machine itself. Everybody signs in again. Going back takes nothing away: the proofs are the library's table.


def vouch_for_operators(apps, schema_editor):
    User = apps.get_model("stores", "User")
    EmailAddress = apps.get_model("account", "EmailAddress")
    EmailAddress.objects.bulk_create(
        [
            EmailAddress(user_id=user.pk, email=user.email.lower(), verified=True, primary=True)
            for user in User.objects.filter(is_superuser=True)
        ],
        ignore_conflicts=True,
    )


def end_all_sessions(apps, schema_editor):
    apps.get_model("sessions", "Session").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(vouch_for_operators, migrations.RunPython.noop),
        migrations.RunPython(end_all_sessions, migrations.RunPython.noop),
        # The package that counted failures before, and its notes of who tried.
        migrations.RunSQL(
            "DROP TABLE IF EXISTS axes_accessattemptexpiration, axes_accessattempt, axes_accessfailurelog, axes_accesslog",
            migrations.RunSQL.noop,
        ),
    ]
