from itertools import chain, count

import loyalty.stores.slugs
from django.db import migrations, models


def rename(apps, schema_editor):
    """A store whose slug is one of the back-office's own words could not be reached: it gets another.

    Its platform sends webhooks to the old slug until the connection's webhooks are registered again.
    """
    stores = apps.get_model("stores", "Store").objects
    for store in stores.all():
        if loyalty.stores.slugs.is_reserved(store.slug):
            names = chain([f"{store.slug}-store"], (f"{store.slug}-store-{number}" for number in count(2)))
            store.slug = next(name for name in names if not stores.filter(slug=name).exists())
            store.save(update_fields=["slug"])


class Migration(migrations.Migration):
    """Slugs stand in the back-office's addresses (T5)."""

    dependencies = [("stores", "0007_second_factor")]

    operations = [
        migrations.AlterField(
            model_name="store",
            name="slug",
            field=models.SlugField(unique=True, validators=[loyalty.stores.slugs.check_slug]),
        ),
        # Nothing is taken back: a slug that is not needed by an address is as good as any.
        migrations.RunPython(rename, migrations.RunPython.noop),
    ]
