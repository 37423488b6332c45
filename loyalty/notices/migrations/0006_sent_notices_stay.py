from django.db import migrations

# Not one of the package's triggers: those can be told to look away by whoever may change the row.
KEEP = """
CREATE FUNCTION notices_keep_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.to_email, NEW.subject, NEW.text, NEW.html) = ('', 'Erased', '', '') THEN
        -- A person is erased: his name and the words to him go, the rest stays.
        OLD.to_email := '';
        OLD.subject := 'Erased';
        OLD.text := '';
        OLD.html := '';
    END IF;
    IF EXISTS (SELECT FROM stores_customer WHERE id = OLD.customer_id AND merged_into_id = NEW.customer_id) THEN
        OLD.customer_id := NEW.customer_id;
    END IF;
    IF NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'A notice that was sent stays as it was.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_sent BEFORE UPDATE ON notices_notice
FOR EACH ROW WHEN (OLD.status = 'sent') EXECUTE FUNCTION notices_keep_sent();
"""
FORGET = """
DROP TRIGGER keep_sent ON notices_notice;
DROP FUNCTION notices_keep_sent();
"""


class Migration(migrations.Migration):
    """A notice that was sent says for ever what was sent, unless the customer is erased; it goes along when he is merged."""

    dependencies = [("notices", "0005_withdrawn_notices"), ("stores", "0009_merging")]

    operations = [migrations.RunSQL(KEEP, FORGET)]
