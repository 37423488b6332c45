# One image for the web, the worker, beat and the migration.
FROM python:3.13-slim AS packages
WORKDIR /app
COPY requirements.txt requirements/uv.txt ./
RUN pip install --no-cache-dir --require-hashes -r uv.txt \
    && python -m venv /packages \
    && uv pip sync --python /packages/bin/python --require-hashes --compile-bytecode requirements.txt

FROM python:3.13-slim
ENV PATH=/packages/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=loyalty.settings
WORKDIR /app
COPY --from=packages /packages /packages
COPY . .
# Compiling languages and collecting need no secret and no server; what runs later is production.
RUN python -m loyalty.languages && python manage.py collectstatic --noinput && useradd --system --no-create-home loyalty \
    && install -d -o loyalty /var/lib/beat
ENV LOYALTY_ENV=production
USER loyalty
EXPOSE 8000
CMD ["gunicorn", "loyalty.wsgi", "--config", "python:loyalty.serving", "--bind", "0.0.0.0:8000", \
     "--worker-tmp-dir", "/dev/shm"]
