from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0005_list_indexes'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='order',
            name='order_auto_cancel',
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(models.F('store'), models.F('payment_status'), models.F('id'), condition=models.Q(('arrived_late', False), ('held_at__isnull', True), ('is_test', False), ('payment_status__in', ('expired', 'failed')), ('status__in', ('pending', 'confirmed'))), name='order_auto_cancel'),
        ),
    ]
