from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('gateway', '0003_teams'),
    ]

    operations = [
        migrations.RemoveField('apikey', 'team_name'),
    ]
