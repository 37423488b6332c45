"""People are found whatever way their names are written, from now on; those of before are told by the next migration."""

from django.db import migrations, models

from loyalty.database.migrating.together import Together
from loyalty.database.triggers import before

# What two ways of writing a name have in common, in ASCII (ADR 0067): compatibility forms are taken apart, case and
# accents go, and letters that Unicode takes for letters of their own become those that people type for them. Whatever is
# not ASCII then becomes "~" and two capitals for each byte, which nothing else has: of octal bytes the first digit says
# no more. Capitals stand for digits and the backslash until that is done.
NAME_KEY = r"""
CREATE FUNCTION name_key(written text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN octet_length(written) = char_length(written) THEN
    translate(lower(written COLLATE "C"), E'~\f', '')
ELSE
    replace(translate(replace(replace(encode(translate(
        normalize(
            replace(replace(replace(translate(
                regexp_replace(
                    casefold(normalize(written, NFKD) COLLATE "pg_unicode_fast") COLLATE "C",
                    '[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u2060\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0100-\U000e01ef]',
                    '', 'g'
                ),
                E'ıøłđðħŧŋ’‘ʼ‐‑–—~\f', E'iolddhtn\'\'\'----'
            ), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
            NFC
        ),
        '0123456789\', 'ABCDEFGHIJK'
    )::bytea, 'escape'), '\3', '~'), '\2', ''), 'ABCDEFGHIJK01234567', '0123456789\ABCDEFGH'), ' ~', '~')
END
"""
KEPT = r"""
NEW.search_key = E'\n' || name_key(NEW.name) || E'\n' || name_key(NEW.email)
    || E'\f\n' || name_key(NEW.phone) || E'\n' || name_key(coalesce(NEW.external_id, ''));
RETURN NEW;
"""
ON = 'INSERT OR UPDATE OF "name", "email", "phone", "external_id"'


class Migration(migrations.Migration):
    dependencies = [("stores", "0018_logos")]

    operations = [Together([
        migrations.RunSQL(NAME_KEY, "DROP FUNCTION name_key"),
        migrations.AddField("customer", "search_key", models.TextField(db_default="", editable=False)),
        before(ON, "stores.Customer", "keeps_search_key", do=KEPT),
    ])]
